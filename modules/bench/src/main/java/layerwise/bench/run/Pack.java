package layerwise.bench.run;

import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.IntConsumer;
import layerwise.bench.calibration.StepCalibration;
import layerwise.bench.moe.ExpertPath;
import layerwise.model.cache.BatchTables;
import layerwise.model.cache.RotaryTable;
import layerwise.model.layer.DecoderSlice;
import layerwise.model.layer.ExpertChoice;
import layerwise.model.layer.Phase;
import layerwise.model.layer.Traffic;
import layerwise.op.Batch;
import layerwise.op.Buffer;
import layerwise.op.Contents;
import layerwise.op.Execution;
import layerwise.op.Memory;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.RowsInUse;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;
import layerwise.tensor.WrongResultException;

/** One step of one shape, prepared: its tables and random inputs in place, its launches ready. */
final class Pack implements AutoCloseable {
    /** Apart enough that no two iterations of two steps share a seed. */
    private static final long ITERATION_SEEDS = 1L << 40;

    private final Memory memory;
    private final Execution execution;
    private final StepCalibration calibration;
    private final List<Operator> operators;
    private final TensorRef output;

    private Pack(
            Memory memory,
            Execution execution,
            StepCalibration calibration,
            List<Operator> operators,
            TensorRef output) {
        this.memory = memory;
        this.execution = execution;
        this.calibration = calibration;
        this.operators = operators;
        this.output = output;
    }

    /**
     * Prepares a step.
     *
     * @param path   how the experts run
     * @param first  first request of the batch
     * @param traffic what ranks send each other
     * @param calibrating says where tokens go and what is recorded of it, given what makes another iteration's inputs
     * @param seed   of the random hidden states and residual, both uniform in [0, 1)
     */
    static Pack prepare(
            Workbench bench,
            ExpertPath path,
            Phase phase,
            int first,
            Batch batch,
            Traffic traffic,
            Function<IntConsumer, StepCalibration> calibrating,
            long seed) {
        Memory memory = bench.memory().nested();
        try {
            BatchTables tables = bench.cache().tables("step", first, batch);
            tables.place(memory);
            DecoderSlice.Benchmark[] placed = new DecoderSlice.Benchmark[1];
            StepCalibration calibration =
                    calibrating.apply(iteration -> fill(memory::refill, placed[0], seed + ITERATION_SEEDS * iteration));
            ExpertChoice experts = calibration.choose(memory);
            DecoderSlice.Benchmark step = bench.slice()
                    .benchmark(phase, tables.paged(), bench.rotary().map(RotaryTable::tensor), experts, traffic);
            placed[0] = step;
            fill(memory::put, step, seed);
            Program program = CostRanges.around(
                    calibration.observe(
                            path.apply(step.program(), bench.executor().capabilities())),
                    bench.gpu());
            Execution execution = bench.executor().prepare(program, memory);
            calibration.bind(execution.memory());
            return new Pack(
                    memory,
                    execution,
                    calibration,
                    program.operators(),
                    step.program().outputs().getFirst());
        } catch (RuntimeException | Error e) {
            memory.close();
            throw e;
        }
    }

    /** Inputs of a step. */
    private static void fill(BiConsumer<Buffer, Contents> target, DecoderSlice.Benchmark step, long seed) {
        target.accept(step.hidden().buffer(), new Contents.Uniform(0, 1, 2 * seed));
        target.accept(step.residual().buffer(), new Contents.Uniform(0, 1, 2 * seed + 1));
    }

    Execution execution() {
        return execution;
    }

    StepCalibration calibration() {
        return calibration;
    }

    /** Runs once and checks the hidden states that come out. */
    void runChecked(Workbench bench) {
        execution.run();
        bench.executor().synchronize();
        OutputCheck.check(execution.memory().summarize(output));
    }

    /**
     * Checks what every operator left behind in the last run, so that no time is shown that belongs to garbage.
     *
     * @throws WrongResultException if outputs have NaNs or infinities, naming the first operator that has; or if the
     *     hidden states are mostly zeros
     */
    void checkOperators() {
        for (Operator operator : operators) {
            for (TensorRef written : operator.outputs()) {
                if (written.dtype() == DType.BF16 || written.dtype() == DType.F32) {
                    TensorRef matrix = written.rank() == 3 ? written.joinFirst() : written;
                    RowsInUse rows = RowsInUse.of(operator, execution.memory());
                    TensorRef used = matrix.slice(0, rows.first(), Math.min(matrix.dim(0), rows.end()));
                    if (used.shape().elements() > 0) {
                        OutputCheck.check(operator, execution.memory().summarize(used));
                    }
                }
            }
        }
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
