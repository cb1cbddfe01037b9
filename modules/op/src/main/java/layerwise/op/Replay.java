package layerwise.op;

/** A program that runs again and again, captured as a rule. */
public interface Replay extends AutoCloseable {
    /** Enqueues it whole. */
    void launch();

    /** Runs an execution launch by launch, where nothing is captured. */
    static Replay eager(Execution execution) {
        return new Replay() {
            @Override
            public void launch() {
                execution.run();
            }

            @Override
            public void close() {}
        };
    }

    @Override
    void close();
}
