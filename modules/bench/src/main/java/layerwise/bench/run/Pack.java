package layerwise.bench.run;

import layerwise.bench.exchange.ExpertTable;
import layerwise.bench.moe.ExpertPath;
import layerwise.model.cache.BatchTables;
import layerwise.model.cache.RotaryTable;
import layerwise.model.layer.DecoderSlice;
import layerwise.model.layer.ExpertChoice;
import layerwise.model.layer.Phase;
import layerwise.model.layer.Traffic;
import layerwise.op.Batch;
import layerwise.op.Contents;
import layerwise.op.Execution;
import layerwise.op.Memory;
import layerwise.op.Program;
import layerwise.op.TensorRef;

/** One step of one shape, prepared: its tables and random inputs in place, its launches ready. */
final class Pack implements AutoCloseable {
    private final Memory memory;
    private final Execution execution;
    private final TensorRef output;

    private Pack(Memory memory, Execution execution, TensorRef output) {
        this.memory = memory;
        this.execution = execution;
        this.output = output;
    }

    /**
     * Prepares a step.
     *
     * @param path   how the experts run
     * @param first  first request of the batch
     * @param traffic what ranks send each other
     * @param choice where tokens go
     * @param seed   of the random hidden states and residual, both uniform in [0, 1)
     */
    static Pack prepare(
            Workbench bench,
            ExpertPath path,
            Phase phase,
            int first,
            Batch batch,
            Traffic traffic,
            ExpertTable choice,
            long seed) {
        Memory memory = bench.memory().nested();
        try {
            BatchTables tables = bench.cache().tables("step", first, batch);
            tables.place(memory);
            ExpertChoice experts = choice.place(memory);
            DecoderSlice.Benchmark step = bench.slice()
                    .benchmark(phase, tables.paged(), bench.rotary().map(RotaryTable::tensor), experts, traffic);
            memory.put(step.hidden().buffer(), new Contents.Uniform(0, 1, 2 * seed));
            memory.put(step.residual().buffer(), new Contents.Uniform(0, 1, 2 * seed + 1));
            Program program = CostRanges.around(
                    path.apply(step.program(), bench.executor().capabilities()), bench.gpu());
            Execution execution = bench.executor().prepare(program, memory);
            return new Pack(memory, execution, step.program().outputs().getFirst());
        } catch (RuntimeException | Error e) {
            memory.close();
            throw e;
        }
    }

    Execution execution() {
        return execution;
    }

    /** Runs once and checks the hidden states that come out. */
    void runChecked(Workbench bench) {
        execution.run();
        bench.executor().synchronize();
        OutputCheck.check(execution.memory().summarize(output));
    }

    @Override
    public void close() {
        try {
            execution.close();
        } finally {
            memory.close();
        }
    }
}
