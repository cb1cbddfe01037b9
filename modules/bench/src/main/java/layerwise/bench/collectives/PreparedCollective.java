package layerwise.bench.collectives;

import java.lang.foreign.Arena;
import java.util.List;
import layerwise.kernels.CudaExecutor;
import layerwise.op.Add;
import layerwise.op.Buffer;
import layerwise.op.Contents;
import layerwise.op.Execution;
import layerwise.op.Executor;
import layerwise.op.Memory;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;

/**
 * A collective with known numbers before it. What a rank brings is left by an operator, as in a layer, so it lies where peers
 * reach it; the collective is then prepared alone on that.
 */
final class PreparedCollective implements AutoCloseable {
    private final CollectiveShape shape;
    private final Memory memory;
    private final Execution whole;
    private final Execution alone;

    private PreparedCollective(CollectiveShape shape, Memory memory, Execution whole, Execution alone) {
        this.shape = shape;
        this.memory = memory;
        this.whole = whole;
        this.alone = alone;
    }

    /** Prepares it and runs it once; all ranks do at the same point. */
    static PreparedCollective of(Executor device, CollectiveShape shape, KnownNumbers numbers) {
        Memory memory = device.allocate();
        try {
            place(memory, shape, numbers);
            Operator add = new Add(shape.given(), shape.given(), shape.x());
            Program.Builder program = Program.builder().launch(add);
            shape.operator().ifPresent(program::launch);
            Execution whole = device.prepare(program.build(List.of(shape.x(), shape.y())), memory);
            whole.run();
            device.synchronize();
            return new PreparedCollective(shape, memory, whole, alone(device, shape, whole.memory()));
        } catch (RuntimeException | Error e) {
            memory.close();
            throw e;
        }
    }

    private static Execution alone(Executor device, CollectiveShape shape, Memory memory) {
        if (shape.operator().isPresent()) {
            Operator operator = shape.operator().get();
            return device.prepare(Program.builder().launch(operator).build(operator.outputs()), memory);
        }
        if (device instanceof CudaExecutor cuda) {
            memory.put(shape.y().buffer(), new Contents.Undefined());
            return cuda.prepareAllToAll(shape.x(), shape.y(), memory);
        }
        throw new IllegalArgumentException(shape.collective() + " on " + device.device());
    }

    /** Fills the given tensor with its period by copies on the device, each twice as long as the one before. */
    private static void place(Memory memory, CollectiveShape shape, KnownNumbers numbers) {
        TensorRef given = shape.given();
        memory.put(given.buffer(), new Contents.Undefined());
        try (Arena arena = Arena.ofConfined()) {
            HostTensor first = numbers.given(arena);
            Buffer period = Buffer.of("period", DType.BF16, first.shape().dims());
            memory.put(period, new Contents.Copied(List.of(first)));
            long filled = period.shape().dim(0);
            memory.copying(period.whole(), given.slice(0, 0, filled)).run();
            while (filled < given.dim(0)) {
                long next = Math.min(filled, given.dim(0) - filled);
                memory.copying(given.slice(0, 0, next), given.slice(0, filled, filled + next))
                        .run();
                filled += next;
            }
        }
    }

    /** The collective alone. */
    Execution execution() {
        return alone;
    }

    /** Spoils what the collective wrote before. */
    void poison() {
        whole.memory().refill(shape.y().buffer(), new Contents.Poison());
    }

    /** Compares what it wrote last. */
    void check(ResultCheck check) {
        check.check(whole.memory());
    }

    @Override
    public void close() {
        alone.close();
        whole.close();
        memory.close();
    }
}
