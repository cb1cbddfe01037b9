package layerwise.reference;

import java.util.Arrays;
import layerwise.op.Capabilities;
import layerwise.op.Communicator;
import layerwise.op.Execution;
import layerwise.op.Executor;
import layerwise.op.Journal;
import layerwise.op.Memory;
import layerwise.op.Program;
import layerwise.op.Stopwatch;

/** Runs operators at once, in the order of the program, and tells the journal how long each took. */
public final class ReferenceExecutor implements Executor {
    private final Journal journal;
    private final Capabilities capabilities;
    private final Communicator communicator;

    /**
     * Opens the executor.
     *
     * @param capabilities which fused operators it is to run; it knows all of them and has no preference
     * @param communicator carries collectives; lent
     */
    public ReferenceExecutor(Journal journal, Capabilities capabilities, Communicator communicator) {
        this.journal = journal;
        this.capabilities = capabilities;
        this.communicator = communicator;
    }

    /** Opens the executor of one rank alone. */
    public ReferenceExecutor(Journal journal, Capabilities capabilities) {
        this(journal, capabilities, Communicator.alone());
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

    @Override
    public Execution prepare(Program program, Memory memory) {
        if (memory instanceof ReferenceMemory own) {
            return new ReferenceExecution(program, own.nested(), journal, communicator);
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
