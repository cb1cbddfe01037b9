package layerwise.bench.forward;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import layerwise.model.cache.BatchTables;
import layerwise.model.cache.CacheTypes;
import layerwise.model.cache.PagedCache;
import layerwise.model.cache.RotaryTable;
import layerwise.model.layer.DecoderSlice;
import layerwise.model.layer.Phase;
import layerwise.model.layer.Traffic;
import layerwise.model.parallel.Mapping;
import layerwise.model.spec.MlaSpec;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightSource;
import layerwise.model.weights.WeightTable;
import layerwise.op.Capabilities;
import layerwise.op.Contents;
import layerwise.op.Execution;
import layerwise.op.IndexTopK;
import layerwise.op.Journal;
import layerwise.op.Memory;
import layerwise.op.Program;
import layerwise.op.Step;
import layerwise.op.TensorRef;
import layerwise.reference.ReferenceExecutor;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.NamedTensors;
import layerwise.tensor.Shape;

/**
 * The layers in float32 on the reference executor, attending the positions that another run chose.
 *
 * <p>An indexer in FP8 may choose another of two positions with nearly equal scores, and attention's result then differs by
 * more than rounding. Two questions take the place of one: is the choice as good as the exact one within the error of FP8
 * ({@link SelectionJudge}), and are the results right for it?
 */
final class ChosenReference implements AutoCloseable {
    private final DecoderSlice slice;
    private final ReferenceExecutor executor = new ReferenceExecutor(Journal.NONE, Capabilities.plain());
    private final Memory memory = executor.allocate();
    private final Map<Integer, TensorRef> gains = new LinkedHashMap<>();
    private final Optional<TensorRef> rotary;

    /**
     * Places weights and an empty cache.
     *
     * @param tensors of the checkpoint
     * @param cache   laid out as that of the other run
     */
    ChosenReference(
            ModelSpec model,
            List<Integer> layers,
            NamedTensors tensors,
            PagedCache cache,
            Optional<RotaryTable> rotary) {
        WeightTable weights = new WeightTable(model, new WeightSource.Checkpoint(tensors));
        CacheTypes types = new CacheTypes(DType.F32, DType.F32, DType.F32);
        slice = new DecoderSlice(model, layers, weights, cache, DType.F32, types, Mapping.alone());
        layers.forEach(layer -> gains.put(layer, DecoderSlice.inputGain(model, layer, weights)));
        weights.place(memory);
        slice.placeCaches(memory, new Contents.Zeros());
        rotary.ifPresent(table -> table.place(memory));
        this.rotary = rotary.map(RotaryTable::tensor);
    }

    /** Whether positions are chosen by rounded scores in layers of a model. */
    static boolean isNeeded(ModelSpec model, List<Integer> layers, DType compute) {
        return compute != DType.F32
                && layers.stream()
                        .anyMatch(layer -> model.layer(layer)
                                .mixer()
                                .filter(mixer -> mixer instanceof MlaSpec mla
                                        && mla.indexer().isPresent())
                                .isPresent());
    }

    /**
     * What a step leaves.
     *
     * @param results float32 tensors, named as files name them
     * @param wrong   tokens whose choice is worse than FP8 makes it, in words; empty where there are none
     * @param swapped positions that exact scores would not have chosen
     */
    record Outcome(Map<String, HostTensor> results, List<String> wrong, int swapped) {}

    /**
     * Runs a step.
     *
     * @param name  of the step, which results' names begin with
     * @param input {@code [B,S,H]} float32
     * @param other the run that has chosen; its tensors are named alike
     */
    Outcome step(String name, Phase phase, BatchTables tables, HostTensor input, Memory other, Arena arena) {
        Shape shape = input.shape();
        int tokens = tables.paged().batch().tokens();
        DecoderSlice.Forward forward = slice.forward(phase, tables.paged(), rotary, gains, Traffic.alone(tokens));
        try (Memory inner = memory.nested()) {
            tables.place(inner);
            HostTensor rows = HostTensor.copyOf(arena, DType.F32, Shape.of(tokens, shape.dim(2)), input.copyToFloats());
            inner.put(forward.input().buffer(), new Contents.Copied(List.of(rows)));
            forward.program().operators().stream()
                    .filter(IndexTopK.class::isInstance)
                    .map(operator -> ((IndexTopK) operator).indices().buffer().whole())
                    .distinct()
                    .forEach(all -> inner.put(all.buffer(), new Contents.Copied(List.of(other.read(all, arena)))));
            try (Execution execution = executor.prepare(withoutChoosing(forward.program()), inner)) {
                execution.run();
                Map<String, HostTensor> results = new LinkedHashMap<>();
                forward.results().forEach((layer, result) -> {
                    String prefix = "%s.layers.%d.".formatted(name, layer);
                    results.put(prefix + "mixer", read(execution, result.mixer(), shape, arena));
                    result.mlp().ifPresent(mlp -> results.put(prefix + "mlp", read(execution, mlp, shape, arena)));
                    HostTensor output = read(execution, result.output(), shape, arena);
                    results.put(prefix + "output", output);
                    results.put("%s.layers.%d.input".formatted(name, layer + 1), output);
                });
                List<String> wrong = new ArrayList<>();
                int swapped = 0;
                for (SelectionJudge judge : SelectionJudge.of(forward.program(), execution.memory(), arena)) {
                    wrong.addAll(judge.wrong());
                    swapped += judge.swapped();
                }
                return new Outcome(results, wrong, swapped);
            }
        }
    }

    private static HostTensor read(Execution execution, TensorRef tensor, Shape shape, Arena arena) {
        return execution.memory().read(tensor, arena).reshape(shape.dims());
    }

    private static Program withoutChoosing(Program program) {
        List<Step> steps = program.steps().stream()
                .filter(step -> !(step instanceof Step.Launch launch && launch.operator() instanceof IndexTopK))
                .toList();
        return new Program(steps, program.outputs());
    }

    @Override
    public void close() {
        memory.close();
        executor.close();
    }
}
