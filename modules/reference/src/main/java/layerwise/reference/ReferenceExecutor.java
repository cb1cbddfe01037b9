package layerwise.reference;

import java.util.Arrays;
import layerwise.op.Buffer;
import layerwise.op.Capabilities;
import layerwise.op.Communicator;
import layerwise.op.Execution;
import layerwise.op.Executor;
import layerwise.op.Journal;
import layerwise.op.Memory;
import layerwise.op.Program;
import layerwise.op.Stopwatch;
import layerwise.tensor.HostTensor;

/** Runs operators at once, in the order of the program, and tells the journal how long each took. */
public final class ReferenceExecutor implements Executor {
    private final Journal journal;
    private final Capabilities capabilities;
    private final Communicator communicator;
    private final Sampling sampling;

    /**
     * Opens the executor.
     *
     * @param capabilities which fused operators it is to run; it knows all of them and has no preference
     * @param communicator carries collectives; lent
     */
    public ReferenceExecutor(Journal journal, Capabilities capabilities, Communicator communicator) {
        this(journal, capabilities, communicator, Sampling.NONE);
    }

    /** Opens the executor of one rank alone. */
    public ReferenceExecutor(Journal journal, Capabilities capabilities) {
        this(journal, capabilities, Communicator.alone());
    }

    /**
     * Opens an executor that computes a part of the operators that take long.
     *
     * @param sampling which part; elements that are not computed are left as they were
     */
    public ReferenceExecutor(Journal journal, Capabilities capabilities, Communicator communicator, Sampling sampling) {
        this.journal = journal;
        this.capabilities = capabilities;
        this.communicator = communicator;
        this.sampling = sampling;
    }

    @Override
    public String device() {
        return "reference";
    }

    @Override
    public Capabilities capabilities() {
        return capabilities;
    }

    @Override
    public Memory allocate() {
        return new ReferenceMemory(null);
    }

    /**
     * Gives a buffer existing host memory as its place; it is read and written there.
     *
     * @param tensor contiguous, of the buffer's type and size; must outlive the buffer
     */
    public void place(Memory memory, Buffer buffer, HostTensor tensor) {
        own(memory).place(buffer, tensor);
    }

    @Override
    public Execution prepare(Program program, Memory memory) {
        return new ReferenceExecution(program, own(memory).nested(), journal, communicator, sampling);
    }

    static ReferenceMemory own(Memory memory) {
        if (memory instanceof ReferenceMemory own) {
            return own;
        }
        throw new IllegalArgumentException("a memory of another executor");
    }

    @Override
    public Stopwatch stopwatch(int marks) {
        long[] nanos = new long[marks];
        Arrays.fill(nanos, System.nanoTime());
        return new Stopwatch() {
            @Override
            public void mark(int index) {
                nanos[index] = System.nanoTime();
            }

            @Override
            public double micros(int from, int to) {
                return (nanos[to] - nanos[from]) / 1e3;
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public void synchronize() {}

    @Override
    public void close() {}
}
