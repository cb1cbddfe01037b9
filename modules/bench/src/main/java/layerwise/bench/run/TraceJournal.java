package layerwise.bench.run;

import layerwise.op.Journal;
import layerwise.op.Lane;
import layerwise.trace.TraceRecorder;

/** Passes on what happens to a recorder, while one listens. */
final class TraceJournal implements Journal {
    private static final int MAIN_STREAM = 7;
    private static final int AUXILIARY_STREAM = 13;

    private TraceRecorder recorder;

    /** From now on everything is recorded. */
    void listen(TraceRecorder to) {
        recorder = to;
    }

    /** From now on nothing is. */
    void ignore() {
        recorder = null;
    }

    @Override
    public void enter(String range) {
        if (recorder != null) {
            recorder.pushRange(range);
        }
    }

    @Override
    public void leave() {
        if (recorder != null) {
            recorder.popRange();
        }
    }

    /** A marker that states a fact. */
    void mark(String text) {
        if (recorder != null) {
            recorder.mark(text);
        }
    }

    @Override
    public long now() {
        return recorder == null ? 0 : recorder.now();
    }

    @Override
    public void ran(String kernel, Lane lane, long start, long end) {
        if (recorder != null) {
            int stream = switch (lane) {
                case MAIN -> MAIN_STREAM;
                case AUXILIARY -> AUXILIARY_STREAM;
            };
            recorder.kernel(kernel, stream, start, start, start, end);
        }
    }
}
