package layerwise.bench.forward;

import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import layerwise.model.cache.BatchTables;
import layerwise.model.cache.PagedCache;
import layerwise.model.cache.RotaryTable;
import layerwise.model.layer.DecoderSlice;
import layerwise.model.layer.Phase;
import layerwise.model.parallel.Mapping;
import layerwise.model.spec.MlaSpec;
import layerwise.model.spec.ModelReader;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightSource;
import layerwise.model.weights.WeightTable;
import layerwise.op.Batch;
import layerwise.op.Contents;
import layerwise.op.Execution;
import layerwise.op.Executor;
import layerwise.op.Memory;
import layerwise.op.Program;
import layerwise.op.TensorRef;
import layerwise.op.fusion.Fusion;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;
import layerwise.tensor.WrongResultException;
import layerwise.tensor.safetensors.SafetensorsFile;
import layerwise.tensor.safetensors.SafetensorsFolder;
import layerwise.tensor.safetensors.SafetensorsWriter;

/** Runs layers phase by phase on one cache, the way the model itself would. */
final class ForwardRun {
    /** Page size of the cache: small, so that short sequences cross pages. */
    private static final int PAGE_TOKENS = 32;

    private final ForwardOptions options;
    private final Mapping mapping;
    private final Executor executor;
    private final PrintStream out;
    private final LinkedHashMap<String, HostTensor> results = new LinkedHashMap<>();
    private final List<String> wrong = new ArrayList<>();

    ForwardRun(ForwardOptions options, Mapping mapping, Executor executor, PrintStream out) {
        this.options = options;
        this.mapping = mapping;
        this.executor = executor;
        this.out = out;
    }

    void run() {
        if (options.output().isPresent() && mapping.dataRanks() > 1) {
            throw new ConfigException(
                    "command line: --output %s: each of %d ranks has some of the sequences; expected no"
                                    .formatted(options.output().get(), mapping.dataRanks())
                            + " --output, or no --enable-attention-dp");
        }
        ModelSpec model = ModelReader.fromFolder(options.model().toString(), options.model());
        options.layers().forEach(model::layer);
        try (Arena arena = Arena.ofShared();
                Memory memory = executor.allocate()) {
            SafetensorsFile inputs = SafetensorsFile.open(options.inputs(), arena);
            Optional<SafetensorsFile> expected = options.expect().map(file -> SafetensorsFile.open(file, arena));
            WeightTable weights =
                    new WeightTable(model, new WeightSource.Checkpoint(SafetensorsFolder.open(options.model(), arena)));
            Map<String, HostTensor> steps = new LinkedHashMap<>();
            int length = 0;
            for (String phase : options.phases()) {
                HostTensor input = input(model, inputs, phase);
                steps.put(phase, input);
                length += (int) input.shape().dim(1);
            }
            int sequences = (int) steps.values().iterator().next().shape().dim(0);
            Sequences own = Sequences.of(mapping, sequences);
            PagedCache cache = new PagedCache(own.count(), PAGE_TOKENS, length);
            DecoderSlice slice = new DecoderSlice(
                    model, options.layers(), weights, cache, options.compute(), options.compute(), mapping);
            TensorRef firstGain = DecoderSlice.firstGain(model, options.layers().getFirst(), weights);
            RotaryTable rotary =
                    RotaryTable.of(model.layer(options.layers().getFirst()).mixer(), length);
            weights.place(memory);
            slice.placeCaches(memory, new Contents.Zeros());
            rotary.place(memory);
            Optional<ChosenReference> chosen = choosesInFp8(model)
                    ? Optional.of(new ChosenReference(
                            model, options.layers(), SafetensorsFolder.open(options.model(), arena), cache, rotary))
                    : Optional.empty();
            int past = 0;
            for (Map.Entry<String, HostTensor> step : steps.entrySet()) {
                int queries = (int) step.getValue().shape().dim(1);
                if (step.getValue().shape().dim(0) != sequences) {
                    throw new ConfigException("%s: %s has %d sequences, expected %d as before"
                            .formatted(
                                    options.inputs(),
                                    step.getKey(),
                                    step.getValue().shape().dim(0),
                                    sequences));
                }
                BatchTables tables = cache.tables("step", 0, Batch.uniform(own.count(), queries, past));
                step(slice, firstGain, rotary.tensor(), tables, memory, own, step, arena, expected, chosen);
                past += queries;
            }
            chosen.ifPresent(ChosenReference::close);
            if (options.output().isPresent() && mapping.group().rank() == 0) {
                SafetensorsWriter.write(options.output().get(), results, new LinkedHashMap<>());
            }
        }
        if (!wrong.isEmpty()) {
            throw new WrongResultException("forward: %d of %d tensors differ by more than %s: %s"
                    .formatted(wrong.size(), results.size(), options.tolerance(), String.join(", ", wrong)));
        }
    }

    private HostTensor input(ModelSpec model, SafetensorsFile inputs, String phase) {
        String name = "%s.layers.%d.input".formatted(phase, options.layers().getFirst());
        HostTensor input = inputs.tensor(name);
        if (input.shape().rank() != 3 || input.shape().dim(2) != model.hidden() || input.dtype() != DType.F32) {
            throw new ConfigException("%s: tensor '%s' is %s, expected F32 [B,S,%d]"
                    .formatted(options.inputs(), name, input, model.hidden()));
        }
        return input;
    }

    private void step(
            DecoderSlice slice,
            TensorRef firstGain,
            TensorRef rotary,
            BatchTables tables,
            Memory memory,
            Sequences own,
            Map.Entry<String, HostTensor> step,
            Arena arena,
            Optional<SafetensorsFile> expected,
            Optional<ChosenReference> chosen) {
        Phase phase = step.getKey().startsWith("ctx") ? Phase.CONTEXT : Phase.GENERATION;
        DecoderSlice.Forward forward = slice.forward(phase, tables.paged(), rotary, firstGain, own.traffic((int)
                step.getValue().shape().dim(1)));
        Program program = Fusion.apply(forward.program(), executor.capabilities());
        HostTensor ours = own.of(step.getValue());
        Shape shape = ours.shape();
        try (Memory inner = memory.nested()) {
            tables.place(inner);
            HostTensor input = HostTensor.copyOf(arena, options.compute(), shape, ours.copyToFloats());
            inner.put(
                    forward.input().buffer(),
                    new Contents.Copied(List.of(input.reshape(shape.dim(0) * shape.dim(1), shape.dim(2)))));
            try (Execution execution = executor.prepare(program, inner)) {
                execution.run();
                executor.synchronize();
                Optional<ChosenReference.Outcome> own32 = chosen.map(reference -> reference.step(
                        phase,
                        tables,
                        HostTensor.copyOf(
                                arena,
                                DType.F32,
                                Shape.of(shape.dim(0) * shape.dim(1), shape.dim(2)),
                                ours.copyToFloats()),
                        tensor -> execution.memory().read(tensor, arena),
                        arena));
                own32.ifPresent(outcome -> report(step.getKey(), outcome));
                forward.results().forEach((layer, result) -> {
                    String prefix = "%s.layers.%d.".formatted(step.getKey(), layer);
                    Map<String, HostTensor> tensors = new LinkedHashMap<>();
                    tensors.put(prefix + "mixer", float32(execution, result.mixer(), shape, arena));
                    tensors.put(prefix + "mlp", float32(execution, result.mlp(), shape, arena));
                    tensors.put(prefix + "output", float32(execution, result.output(), shape, arena));
                    results.putAll(tensors);
                    expected.ifPresent(file -> compare(
                            slice,
                            layer,
                            prefix,
                            tensors,
                            result.ids(),
                            execution,
                            memory,
                            own,
                            file,
                            own32.map(outcome -> outcome.results().get(layer)),
                            arena));
                });
            }
        }
    }

    /** Whether positions are chosen by rounded scores: then results are compared with those of the same choice. */
    private boolean choosesInFp8(ModelSpec model) {
        return options.compute() != DType.F32
                && options.expect().isPresent()
                && mapping.group().size() == 1
                && options.layers().stream()
                        .anyMatch(layer -> model.layer(layer).mixer() instanceof MlaSpec mla
                                && mla.indexer().isPresent());
    }

    private void report(String phase, ChosenReference.Outcome outcome) {
        String name = phase + ".choice";
        out.println("%-28s %d positions swapped within FP8 error  %s"
                .formatted(name, outcome.swapped(), outcome.wrong().isEmpty() ? "ok" : "WRONG"));
        outcome.wrong().stream().limit(1).forEach(out::println);
        if (!outcome.wrong().isEmpty()) {
            wrong.add(name);
        }
    }

    /** Lines of several ranks say whose they are. */
    private String speaker() {
        return mapping.group().size() == 1
                ? ""
                : "rank %d: ".formatted(mapping.group().rank());
    }

    private static HostTensor float32(Execution execution, TensorRef tensor, Shape shape, Arena arena) {
        HostTensor read = execution.memory().read(tensor, arena);
        return HostTensor.copyOf(arena, DType.F32, shape, read.copyToFloats());
    }

    private void compare(
            DecoderSlice slice,
            int layer,
            String prefix,
            Map<String, HostTensor> tensors,
            Optional<TensorRef> ids,
            Execution execution,
            Memory memory,
            Sequences own,
            SafetensorsFile file,
            Optional<List<HostTensor>> chosen,
            Arena arena) {
        boolean[] undecided = new boolean[0];
        if (options.compute() != DType.F32 && ids.isPresent()) {
            RoutingJudge judge = RoutingJudge.of(slice.router(layer).orElseThrow(), memory, arena);
            undecided = judge.undecided(
                    own.of(file.tensor(prefix + "input")),
                    own.of(file.tensor(prefix + "mixer")),
                    execution.memory().read(ids.get(), arena));
        }
        int place = 0;
        for (Map.Entry<String, HostTensor> tensor : tensors.entrySet()) {
            int at = place++;
            String name = tensor.getKey();
            Shape whole = Shape.of(
                    own.all(),
                    tensor.getValue().shape().dim(1),
                    tensor.getValue().shape().dim(2));
            HostTensor stored = own.of(file.tensor(name, whole, Set.of(DType.F32)));
            HostTensor reference = chosen.map(
                            all -> all.get(at).reshape(stored.shape().dims()))
                    .orElse(stored);
            boolean afterRouting = !name.endsWith(".mixer");
            Difference difference =
                    Difference.of(tensor.getValue(), reference, afterRouting ? undecided : new boolean[0]);
            boolean fits = difference.relative() <= options.tolerance();
            out.println(String.format(
                            Locale.ROOT,
                            "%s%-28s %.3e  %s",
                            speaker(),
                            name,
                            difference.relative(),
                            fits ? "ok" : "WRONG")
                    + (difference.leftOut() == 0
                            ? ""
                            : "  %d tokens left out: routing margin below bfloat16 error"
                                    .formatted(difference.leftOut())));
            if (!fits) {
                wrong.add(name);
            }
        }
    }
}
