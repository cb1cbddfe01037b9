package layerwise.bench.run;

import java.util.Optional;
import layerwise.op.Journal;
import layerwise.op.Lane;

/** Passes on what happens, while somebody listens. */
final class TraceJournal implements Journal {
    private Optional<RangeSink> sink = Optional.empty();

    /** From now on everything is passed on. */
    void listen(RangeSink to) {
        sink = Optional.of(to);
    }

    /** From now on nothing is. */
    void ignore() {
        sink = Optional.empty();
    }

    @Override
    public void enter(String range) {
        if (sink.isPresent()) {
            sink.get().enter(range);
        }
    }

    @Override
    public void leave() {
        if (sink.isPresent()) {
            sink.get().leave();
        }
    }

    /** A marker that states a fact. */
    void mark(String text) {
        if (sink.isPresent()) {
            sink.get().mark(text);
        }
    }

    @Override
    public long now() {
        return sink.isPresent() ? sink.get().now() : 0;
    }

    @Override
    public void ran(String kernel, Lane lane, long start, long end) {
        if (sink.isPresent()) {
            sink.get().ran(kernel, lane, start, end);
        }
    }

    @Override
    public Graph capture() {
        return sink.isPresent() ? sink.get().capture() : Graph.NONE;
    }
}
