package layerwise.op;

/** Is told of ranges as they open and close and, by executors with a clock of their own, of what they ran. */
public interface Journal {
    /** Listens to nothing. */
    Journal NONE = new Journal() {
        @Override
        public void enter(String range) {}

        @Override
        public void leave() {}

        @Override
        public long now() {
            return System.nanoTime();
        }

        @Override
        public void ran(String kernel, Lane lane, long start, long end) {}
    };

    void enter(String range);

    void leave();

    /** The clock of {@link #ran}, in nanoseconds. */
    long now();

    /** An operator ran from {@code start} to {@code end} of {@link #now}. */
    void ran(String kernel, Lane lane, long start, long end);
}
