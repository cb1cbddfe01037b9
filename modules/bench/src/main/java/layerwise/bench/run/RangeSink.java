package layerwise.bench.run;

import layerwise.op.Journal;

/** Where ranges and own launches go while somebody listens. */
public sealed interface RangeSink extends Journal permits RecordedRanges, NvtxRanges {
    /** A marker that states a fact. */
    void mark(String text);
}
