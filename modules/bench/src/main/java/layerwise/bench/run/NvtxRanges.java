package layerwise.bench.run;

import java.util.HashMap;
import java.util.Map;
import layerwise.cuda.Nvtx;
import layerwise.op.Lane;

/** To another profiler; each text is registered once. */
final class NvtxRanges implements RangeSink {
    private final Nvtx nvtx;
    private final Map<String, Nvtx.Range> ranges = new HashMap<>();

    NvtxRanges(Nvtx nvtx) {
        this.nvtx = nvtx;
    }

    private Nvtx.Range range(String text) {
        return ranges.computeIfAbsent(text, nvtx::range);
    }

    @Override
    public void enter(String range) {
        range(range).push();
    }

    @Override
    public void leave() {
        nvtx.pop();
    }

    @Override
    public void mark(String text) {
        // An empty range rather than a mark: marks add rows to the profiler's view.
        range(text).push();
        nvtx.pop();
    }

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
}
