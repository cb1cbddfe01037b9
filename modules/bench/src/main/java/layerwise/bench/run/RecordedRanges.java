package layerwise.bench.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import layerwise.op.Lane;
import layerwise.trace.TraceRecorder;

/** Into a trace of our own; launches with the frames that made them where asked. */
public final class RecordedRanges implements RangeSink {
    private static final int MAIN_STREAM = 7;
    private static final int AUXILIARY_STREAM = 13;
    private static final int DEPTH = 64;
    private static final Set<String> OWN =
            Set.of(RecordedRanges.class.getName(), RecordedGraph.class.getName(), TraceJournal.class.getName());

    private final TraceRecorder recorder;
    private final boolean backtrace;
    private int graphs;

    /** @param backtrace whether launches get the frames that made them */
    public RecordedRanges(TraceRecorder recorder, boolean backtrace) {
        this.recorder = recorder;
        this.backtrace = backtrace;
    }

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
    public void ran(String kernel, Lane lane, long start, long end) {
        recorder.kernel(kernel, stream(lane), start, start, start, end, callChain());
    }

    @Override
    public Graph capture() {
        return new RecordedGraph(++graphs);
    }

    private static int stream(Lane lane) {
        return switch (lane) {
            case MAIN -> MAIN_STREAM;
            case AUXILIARY -> AUXILIARY_STREAM;
        };
    }

    private int callChain() {
        if (!backtrace) {
            return 0;
        }
        return recorder.callChain(StackWalker.getInstance()
                .walk(frames -> frames.dropWhile(frame -> OWN.contains(frame.getClassName()))
                        .limit(DEPTH)
                        .map(StackWalker.StackFrame::toStackTraceElement)
                        .toList()));
    }

    private final class RecordedGraph implements Graph {
        private record Node(String kernel, int stream, long id) {}

        private final int number;
        private final List<Node> nodes = new ArrayList<>();
        private long correlation;

        RecordedGraph(int number) {
            this.number = number;
        }

        @Override
        public void node(String kernel, Lane lane) {
            nodes.add(new Node(kernel, stream(lane), recorder.captureNode(number, nodes.size(), callChain())));
        }

        @Override
        public void launch() {
            correlation = recorder.nextCorrelation();
            long now = recorder.now();
            recorder.call("graph launch", correlation, now, now, callChain());
        }

        @Override
        public void ran(int node, long start, long end) {
            Node captured = nodes.get(node);
            recorder.kernel(correlation, captured.id(), captured.kernel(), captured.stream(), start, end);
        }
    }
}
