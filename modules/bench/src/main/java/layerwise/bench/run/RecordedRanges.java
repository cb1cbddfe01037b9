package layerwise.bench.run;

import layerwise.trace.TraceRecorder;

/** Into a trace of our own. */
record RecordedRanges(TraceRecorder recorder) implements RangeSink {
    @Override
    public void enter(String range) {
        recorder.pushRange(range);
    }

    @Override
    public void leave() {
        recorder.popRange();
    }

    @Override
    public void mark(String text) {
        recorder.mark(text);
    }

    @Override
    public long now() {
        return recorder.now();
    }

    @Override
    public void ran(String kernel, int stream, long start, long end) {
        recorder.kernel(kernel, stream, start, start, start, end);
    }
}
