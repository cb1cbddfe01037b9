package layerwise.bench.verify;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import layerwise.op.Buffer;
import layerwise.op.Contents;
import layerwise.op.Execution;
import layerwise.op.Executor;
import layerwise.op.Lane;
import layerwise.op.Memory;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.Step;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;

/**
 * Runs one operator on a device and on the reference executor, on the same inputs.
 *
 * <p>What the operator writes is poisoned first on both sides, so that an element left unwritten shows.
 */
final class OperatorCheck {
    private final Executor device;
    private final Memory memory;
    private final Executor reference;

    /**
     * Opens it.
     *
     * @param memory the device's; holds the operators' inputs
     */
    OperatorCheck(Executor device, Memory memory, Executor reference) {
        this.device = device;
        this.memory = memory;
        this.reference = reference;
    }

    /** One row of the table for each output. */
    List<VerifiedOutput> check(Operator operator) {
        try (Arena arena = Arena.ofShared();
                Memory copies = reference.allocate()) {
            for (TensorRef output : operator.outputs()) {
                if (!memory.holds(output.buffer())) {
                    memory.put(output.buffer(), new Contents.Poison());
                }
            }
            Set<Buffer> buffers = new LinkedHashSet<>();
            operator.inputs().forEach(input -> buffers.add(input.buffer()));
            operator.outputs().forEach(output -> buffers.add(output.buffer()));
            for (Buffer buffer : buffers) {
                copies.put(buffer, new Contents.Copied(List.of(memory.read(buffer.whole(), arena))));
            }
            Program program = new Program(List.of(new Step.Launch(operator, Lane.MAIN)), operator.outputs());
            run(reference, program, copies);
            run(device, program, memory);
            List<VerifiedOutput> rows = new ArrayList<>();
            for (TensorRef output : operator.outputs()) {
                Tolerance tolerance =
                        output.dtype() == DType.I32 ? new Tolerance(0, 0) : Tolerance.of(operator, output.dtype());
                Comparison comparison =
                        Comparison.of(memory.read(output, arena), copies.read(output, arena), tolerance);
                rows.add(new VerifiedOutput(operator, output, comparison));
            }
            return rows;
        }
    }

    private static void run(Executor executor, Program program, Memory memory) {
        try (Execution execution = executor.prepare(program, memory)) {
            execution.run();
            executor.synchronize();
        }
    }
}
