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
import layerwise.model.cache.CacheTypes;
import layerwise.model.cache.PagedCache;
import layerwise.model.cache.RotaryTable;
import layerwise.model.layer.DecoderSlice;
import layerwise.model.layer.Phase;
import layerwise.model.layer.SliceTensors;
import layerwise.model.parallel.Mapping;
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
import layerwise.tensor.NamedTensors;
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
            SafetensorsFolder checkpoint = SafetensorsFolder.open(options.model(), arena);
            Runnable check = SliceTensors.checking(model, options.layers(), checkpoint);
            WeightTable weights = new WeightTable(model, new WeightSource.Checkpoint(checkpoint, check));
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
            CacheTypes types = new CacheTypes(options.compute(), options.compute(), DType.F32);
            DecoderSlice slice =
                    new DecoderSlice(model, options.layers(), weights, cache, options.compute(), types, mapping);
            Map<Integer, TensorRef> gains = new LinkedHashMap<>();
            options.layers().forEach(layer -> gains.put(layer, DecoderSlice.inputGain(model, layer, weights)));
            Optional<RotaryTable> rotary = RotaryTable.of(model, options.layers(), length);
            weights.place(memory);
            slice.placeCaches(memory, new Contents.Zeros());
            rotary.ifPresent(table -> table.place(memory));
            boolean choosing = expected.isPresent()
                    && mapping.group().size() == 1
                    && ChosenReference.isNeeded(model, options.layers(), options.compute());
            Optional<ChosenReference> chosen = choosing
                    ? Optional.of(new ChosenReference(model, options.layers(), checkpoint, cache, rotary))
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
                step(slice, gains, rotary.map(RotaryTable::tensor), tables, memory, own, step, arena, expected, chosen);
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
            Map<Integer, TensorRef> gains,
            Optional<TensorRef> rotary,
            BatchTables tables,
            Memory memory,
            Sequences own,
            Map.Entry<String, HostTensor> step,
            Arena arena,
            Optional<SafetensorsFile> file,
            Optional<ChosenReference> chosen) {
        Phase phase = step.getKey().startsWith("ctx") ? Phase.CONTEXT : Phase.GENERATION;
        DecoderSlice.Forward forward = slice.forward(phase, tables.paged(), rotary, gains, own.traffic((int)
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
                Optional<NamedTensors> expected =
                        file.map(tensors -> chosen.<NamedTensors>map(reference -> new Overlaid(
                                        tensors,
                                        judged(
                                                step.getKey(),
                                                reference.step(
                                                        step.getKey(),
                                                        phase,
                                                        tables,
                                                        ours,
                                                        execution.memory(),
                                                        arena))))
                                .orElse(tensors));
                // A token that went to other experts in one layer brings another input to the next.
                boolean[] leftOut = new boolean[Math.toIntExact(shape.dim(0) * shape.dim(1))];
                forward.results().forEach((layer, result) -> {
                    String prefix = "%s.layers.%d.".formatted(step.getKey(), layer);
                    Map<String, HostTensor> tensors = new LinkedHashMap<>();
                    tensors.put(prefix + "mixer", float32(execution, result.mixer(), shape, arena));
                    result.mlp().ifPresent(mlp -> tensors.put(prefix + "mlp", float32(execution, mlp, shape, arena)));
                    tensors.put(prefix + "output", float32(execution, result.output(), shape, arena));
                    results.putAll(tensors);
                    expected.ifPresent(tensorsExpected -> compare(
                            slice,
                            layer,
                            gains.get(layer),
                            prefix,
                            tensors,
                            result.ids(),
                            leftOut,
                            execution,
                            memory,
                            own,
                            tensorsExpected,
                            arena));
                });
            }
        }
    }

    /** Says whether a choice of positions is right; what follows from it is then compared with the same choice's results. */
    private Map<String, HostTensor> judged(String phase, ChosenReference.Outcome outcome) {
        String name = phase + ".choice";
        boolean fits = outcome.wrong().isEmpty();
        out.println("%-28s %d positions swapped within FP8 error  %s"
                .formatted(name, outcome.swapped(), fits ? "ok" : "WRONG"));
        if (!fits) {
            out.println(outcome.wrong().getFirst());
            wrong.add(name);
        }
        return outcome.results();
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
            TensorRef gain,
            String prefix,
            Map<String, HostTensor> tensors,
            Optional<TensorRef> ids,
            boolean[] leftOut,
            Execution execution,
            Memory memory,
            Sequences own,
            NamedTensors file,
            Arena arena) {
        boolean[] before = leftOut.clone();
        // A layer of one half has its router in it, on the normalised input.
        boolean routesFirst = !tensors.containsKey(prefix + "mlp");
        if (options.compute() != DType.F32 && ids.isPresent()) {
            RoutingJudge judge = RoutingJudge.of(slice.router(layer, gain).orElseThrow(), memory, arena);
            List<HostTensor> stream = new ArrayList<>(List.of(own.of(file.tensor(prefix + "input"))));
            if (!routesFirst) {
                stream.add(own.of(file.tensor(prefix + "mixer")));
            }
            boolean[] undecided = judge.undecided(stream, execution.memory().read(ids.get(), arena));
            for (int token = 0; token < leftOut.length; token++) {
                leftOut[token] |= undecided[token];
            }
        }
        for (Map.Entry<String, HostTensor> tensor : tensors.entrySet()) {
            String name = tensor.getKey();
            Shape whole = Shape.of(
                    own.all(),
                    tensor.getValue().shape().dim(1),
                    tensor.getValue().shape().dim(2));
            HostTensor reference = own.of(file.tensor(name, whole, Set.of(DType.F32)));
            boolean afterRouting = routesFirst || !name.endsWith(".mixer");
            Difference difference = Difference.of(tensor.getValue(), reference, afterRouting ? leftOut : before);
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
