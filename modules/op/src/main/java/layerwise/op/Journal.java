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

        @Override
        public Graph capture() {
            return Graph.NONE;
        }
    };

    void enter(String range);

    void leave();

    /** The clock of {@link #ran} and {@link Graph#ran}, in nanoseconds. */
    long now();

    /** An operator ran from {@code start} to {@code end} of {@link #now}. */
    void ran(String kernel, Lane lane, long start, long end);

    /** A program is captured from now on, inside the ranges that open and close meanwhile. */
    Graph capture();

    /** A captured program of an executor with a clock of its own. */
    interface Graph {
        /** Listens to nothing. */
        Graph NONE = new Graph() {
            @Override
            public void node(String kernel, Lane lane) {}

            @Override
            public void launch() {}

            @Override
            public void ran(int node, long start, long end) {}
        };

        /** An operator is captured now, as the next node. */
        void node(String kernel, Lane lane);

        /** The graph is launched now. */
        void launch();

        /**
         * A node of the latest launch ran from {@code start} to {@code end} of {@link Journal#now}.
         *
         * @param node its number in the order of capture, from 0
         */
        void ran(int node, long start, long end);
    }
}
