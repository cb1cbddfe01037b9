package layerwise.bench.forward;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import layerwise.model.cache.BatchTables;
import layerwise.model.cache.PagedCache;
import layerwise.model.cache.RotaryTable;
import layerwise.model.layer.DecoderSlice;
import layerwise.model.layer.Phase;
import layerwise.model.layer.Traffic;
import layerwise.model.parallel.Mapping;
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
    private final TensorRef firstGain;
    private final TensorRef rotary;

    /**
     * Places weights and an empty cache.
     *
     * @param tensors of the checkpoint
     * @param cache   laid out as that of the other run
     */
    ChosenReference(ModelSpec model, List<Integer> layers, NamedTensors tensors, PagedCache cache, RotaryTable rotary) {
        WeightTable weights = new WeightTable(model, new WeightSource.Checkpoint(tensors));
        slice = new DecoderSlice(model, layers, weights, cache, DType.F32, DType.F32, Mapping.alone());
        firstGain = DecoderSlice.firstGain(model, layers.getFirst(), weights);
        weights.place(memory);
        slice.placeCaches(memory, new Contents.Zeros());
        rotary.place(memory);
        this.rotary = rotary.tensor();
    }

    /**
     * What a step leaves.
     *
     * @param results  float32 tensors by layer: mixer, mlp and output
     * @param wrong    tokens whose choice is worse than FP8 makes it, in words; empty where there are none
     * @param swapped  positions that exact scores would not have chosen
     */
    record Outcome(Map<Integer, List<HostTensor>> results, List<String> wrong, int swapped) {}

    /** Reads a tensor of the other run. */
    @FunctionalInterface
    interface Reader {
        HostTensor read(TensorRef tensor);
    }

    /**
     * Runs a step.
     *
     * @param input {@code [T,H]} float32
     * @param other the run that has chosen, by tensors that are named alike
     */
    Outcome step(Phase phase, BatchTables tables, HostTensor input, Reader other, Arena arena) {
        int tokens = tables.paged().batch().tokens();
        DecoderSlice.Forward forward = slice.forward(phase, tables.paged(), rotary, firstGain, Traffic.alone(tokens));
        try (Memory inner = memory.nested()) {
            tables.place(inner);
            inner.put(forward.input().buffer(), new Contents.Copied(List.of(input)));
            List<IndexTopK> choices = forward.program().operators().stream()
                    .filter(IndexTopK.class::isInstance)
                    .map(IndexTopK.class::cast)
                    .toList();
            for (IndexTopK choice : choices) {
                TensorRef all = choice.indices().buffer().whole();
                if (!inner.holds(all.buffer())) {
                    inner.put(all.buffer(), new Contents.Copied(List.of(other.read(all))));
                }
            }
            try (Execution execution = executor.prepare(withoutChoosing(forward.program()), inner)) {
                execution.run();
                Map<Integer, List<HostTensor>> results = new LinkedHashMap<>();
                forward.results()
                        .forEach((layer, result) -> results.put(
                                layer,
                                List.of(
                                        execution.memory().read(result.mixer(), arena),
                                        execution.memory().read(result.mlp(), arena),
                                        execution.memory().read(result.output(), arena))));
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
