package layerwise.kernels;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import layerwise.op.Buffer;
import layerwise.op.Communicator;
import layerwise.op.Contents;
import layerwise.op.Execution;
import layerwise.op.Journal;
import layerwise.op.Lane;
import layerwise.op.Memory;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.Replay;
import layerwise.op.Step;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;

/**
 * One of several ranks on one GPU: its executor, its memory, and programs that all ranks run together.
 *
 * <p>Ranks that are threads share a CUDA context, in which some calls wait for all kernels; so between phases everyone
 * waits for everyone.
 */
final class RankProgram implements AutoCloseable {
    private final Communicator communicator;
    private final CudaExecutor executor;
    private final Memory memory;
    private final Arena arena = Arena.ofConfined();

    RankProgram(Communicator communicator) {
        this.communicator = communicator;
        this.executor = CudaExecutor.open(0, Journal.NONE, CudaExecutor.Tuning.OFF, communicator, true);
        this.memory = executor.allocate();
    }

    /** Rounds values to a type, as storing them does. */
    static float[] rounded(DType dtype, float... values) {
        try (Arena arena = Arena.ofConfined()) {
            return HostTensor.copyOf(arena, dtype, Shape.of(values.length), values)
                    .copyToFloats();
        }
    }

    TensorRef put(String name, DType dtype, long rows, long width, float... values) {
        Buffer buffer = Buffer.of(name, dtype, rows, width);
        memory.put(buffer, new Contents.Copied(List.of(HostTensor.copyOf(arena, dtype, buffer.shape(), values))));
        return buffer.whole();
    }

    TensorRef put(String name, long rows, long width, int... values) {
        Buffer buffer = Buffer.of(name, DType.I32, rows, width);
        memory.put(buffer, new Contents.Copied(List.of(HostTensor.copyOf(arena, buffer.shape(), values))));
        return buffer.whole();
    }

    TensorRef poison(String name, DType dtype, long rows, long width) {
        Buffer buffer = Buffer.of(name, dtype, rows, width);
        memory.put(buffer, new Contents.Poison());
        return buffer.whole();
    }

    /** What the executor is to place itself. */
    static TensorRef unplaced(String name, DType dtype, long rows, long width) {
        return Buffer.of(name, dtype, rows, width).whole();
    }

    /** Reads results while the program that made them is there. */
    @FunctionalInterface
    interface Check {
        void of(Memory results, Arena arena);
    }

    /** Runs operators eagerly, then replays them as a graph, and checks after both. */
    void run(int replays, Check check, Operator... operators) {
        List<Step> steps = Arrays.stream(operators)
                .map(operator -> (Step) new Step.Launch(operator, Lane.MAIN))
                .toList();
        Program program = new Program(steps, operators[operators.length - 1].outputs());
        try (Execution execution = executor.prepare(program, memory)) {
            communicator.barrier();
            execution.run();
            finish(execution, check);
            try (Replay replay = execution.capture()) {
                communicator.barrier();
                for (int i = 0; i < replays; i++) {
                    replay.launch();
                }
                finish(execution, check);
            }
        }
        communicator.barrier();
    }

    private void finish(Execution execution, Check check) {
        executor.synchronize();
        communicator.barrier();
        check.of(execution.memory(), arena);
        communicator.barrier();
    }

    @Override
    public void close() {
        memory.close();
        executor.leave();
        executor.close();
        arena.close();
    }
}
