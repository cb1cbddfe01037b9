package layerwise.bench.verify;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import layerwise.op.Activations;
import layerwise.op.Buffer;
import layerwise.op.Capabilities;
import layerwise.op.Communicator;
import layerwise.op.Contents;
import layerwise.op.Execution;
import layerwise.op.Executor;
import layerwise.op.IndexTopK;
import layerwise.op.Journal;
import layerwise.op.Lane;
import layerwise.op.Memory;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.Route;
import layerwise.op.RowsInUse;
import layerwise.op.Step;
import layerwise.op.SwiGluRoundRows;
import layerwise.op.TensorRef;
import layerwise.op.WeightPath;
import layerwise.reference.ReferenceExecutor;
import layerwise.reference.Sample;
import layerwise.reference.Sampling;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;

/**
 * Runs one operator on a device and on the reference executor, on the same inputs.
 *
 * <p>What the operator writes is poisoned first on both sides, so that an element left unwritten shows.
 */
final class OperatorCheck implements AutoCloseable {
    private final Executor device;
    private final Memory memory;
    private final HostCopies constants;
    private final Sampling plan;
    private final ReferenceExecutor reference;
    private final ReferenceExecutor whole;
    private final ReusedMemory arena = new ReusedMemory();

    /**
     * Opens it.
     *
     * @param memory       the device's; holds the operators' inputs
     * @param constants    copies of those that no operator writes
     * @param communicator carries the reference's collectives
     * @param plan         what the reference computes
     */
    OperatorCheck(Executor device, Memory memory, HostCopies constants, Communicator communicator, Sampling plan) {
        this.device = device;
        this.memory = memory;
        this.constants = constants;
        this.plan = plan;
        reference = new ReferenceExecutor(Journal.NONE, Capabilities.plain(), communicator, plan);
        whole = new ReferenceExecutor(Journal.NONE, Capabilities.plain(), communicator);
    }

    /** One row of the table for each output. */
    List<VerifiedOutput> check(Operator operator) {
        return check(operator, List.of(operator));
    }

    /**
     * The same for an operator that the device runs as several.
     *
     * @param launches they write the operator's outputs and read its inputs
     */
    List<VerifiedOutput> check(Operator operator, List<? extends Operator> launches) {
        try (Memory copies = copies(operator)) {
            run(reference, program(operator, List.of(operator)), copies);
            boolean rounded =
                    run(device, program(operator, launches), memory).stream().anyMatch(WeightPath::rounded);
            return switch (operator) {
                case Route route -> routed(route, copies);
                case IndexTopK choice -> chosen(choice);
                case SwiGluRoundRows rounding -> rounded(rounding, copies);
                default -> compared(operator, rounded, copies);
            };
        }
    }

    /** Gives the device what the reference makes of an operator, all of it, without running it there. */
    void compute(Operator operator) {
        try (Memory copies = copies(operator)) {
            run(whole, program(operator, List.of(operator)), copies);
            operator.outputs().stream()
                    .map(TensorRef::buffer)
                    .distinct()
                    .forEach(buffer ->
                            memory.refill(buffer, new Contents.Copied(List.of(copies.read(buffer.whole(), arena)))));
            device.synchronize();
        }
    }

    /** Poisons outputs on the device, and copies them and what the operator reads from there. */
    private Memory copies(Operator operator) {
        arena.reuse();
        for (TensorRef output : operator.outputs()) {
            if (!memory.holds(output.buffer())) {
                memory.put(output.buffer(), new Contents.Poison());
            }
        }
        Set<Buffer> buffers = new LinkedHashSet<>();
        operator.inputs().forEach(input -> buffers.add(input.buffer()));
        operator.outputs().forEach(output -> buffers.add(output.buffer()));
        Memory copies = constants.nested();
        for (Buffer buffer : buffers) {
            if (!constants.keep(buffer) && !copies.holds(buffer)) {
                reference.place(copies, buffer, memory.read(buffer.whole(), arena));
            }
        }
        return copies;
    }

    private List<VerifiedOutput> compared(Operator operator, boolean rounded, Memory copies) {
        List<VerifiedOutput> rows = new ArrayList<>();
        for (TensorRef output : operator.outputs()) {
            Tolerance tolerance = tolerance(operator, output.dtype(), rounded);
            long width = Math.max(1, output.dim(-1));
            Sample sample = plan.of(operator, output.shape().elements() / width);
            Comparison comparison = Comparison.of(
                    memory.read(output, arena),
                    copies.read(output, arena),
                    tolerance,
                    sample,
                    RowsInUse.of(operator, memory));
            rows.add(new VerifiedOutput(operator, output, sample, comparison));
        }
        return rows;
    }

    private static Tolerance tolerance(Operator operator, DType dtype, boolean rounded) {
        if (dtype == DType.I32) {
            return new Tolerance(0, 0);
        }
        Tolerance tolerance = Tolerance.of(operator, dtype);
        return rounded ? tolerance.withRoundedWeight() : tolerance;
    }

    private List<VerifiedOutput> routed(Route op, Memory copies) {
        float[] bias = op.bias()
                .map(tensor -> memory.read(tensor, arena).copyToFloats())
                .orElseGet(() -> new float[(int) op.logits().dim(1)]);
        RouteComparison comparison = new RouteComparison(op, memory.read(op.logits(), arena), bias);
        HostTensor chosen = memory.read(op.ids(), arena);
        int[] ids = chosen.copyToInts();
        Sample all = Sample.all(op.ids().dim(0));
        return List.of(
                new VerifiedOutput(
                        op,
                        op.ids(),
                        all,
                        comparison.ids(ids, copies.read(op.ids(), arena).copyToInts())),
                new VerifiedOutput(
                        op,
                        op.weights(),
                        all,
                        comparison.weights(memory.read(op.weights(), arena).copyToFloats(), ids)));
    }

    private List<VerifiedOutput> chosen(IndexTopK op) {
        Comparison comparison = SelectionComparison.of(
                memory.read(op.logits(), arena), memory.read(op.positions(), arena), memory.read(op.indices(), arena));
        return List.of(
                new VerifiedOutput(op, op.indices(), Sample.all(op.indices().dim(0)), comparison));
    }

    private List<VerifiedOutput> rounded(SwiGluRoundRows op, Memory copies) {
        TensorRef scales = op.y().scales().orElseThrow();
        RoundedComparison actual = read(op.y(), memory);
        RoundedComparison expected = read(op.y(), copies);
        Sample all = Sample.all(op.y().rows());
        return List.of(
                new VerifiedOutput(op, op.y().data(), all, actual.with(expected, Tolerance.of(op, DType.E4M3))),
                new VerifiedOutput(
                        op,
                        scales,
                        all,
                        Comparison.of(
                                actual.scales(), expected.scales(), Tolerance.of(op, DType.F32), all, RowsInUse.ALL)));
    }

    private RoundedComparison read(Activations rounded, Memory from) {
        return new RoundedComparison(
                from.read(rounded.data(), arena), from.read(rounded.scales().orElseThrow(), arena));
    }

    @Override
    public void close() {
        arena.close();
    }

    private static Program program(Operator operator, List<? extends Operator> launches) {
        List<Step> steps = launches.stream()
                .<Step>map(launch -> new Step.Launch(launch, Lane.MAIN))
                .toList();
        return new Program(steps, operator.outputs());
    }

    private static List<WeightPath> run(Executor executor, Program program, Memory memory) {
        try (Execution execution = executor.prepare(program, memory)) {
            execution.run();
            executor.synchronize();
            return execution.weightPaths();
        }
    }
}
