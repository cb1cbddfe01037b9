package layerwise.report.profile;

import layerwise.report.profile.ServingTrace.Iteration;

/** Which iterations of a serving run are looked at. */
public sealed interface IterationChoice {
    boolean takes(Iteration iteration);

    /** Those with so many requests in prefill and in decode. */
    record Requests(int context, int generation) implements IterationChoice {
        @Override
        public boolean takes(Iteration iteration) {
            return iteration.contextRequests() == context && iteration.generation() == generation;
        }

        @Override
        public String toString() {
            return "with %d ctx reqs, %d gen reqs".formatted(context, generation);
        }
    }

    /** Those the engine gave numbers from {@code first} to {@code last}, both included. */
    record Numbers(int first, int last) implements IterationChoice {
        @Override
        public boolean takes(Iteration iteration) {
            return iteration.id() >= first && iteration.id() <= last;
        }

        @Override
        public String toString() {
            return "from %d to %d".formatted(first, last);
        }
    }
}
