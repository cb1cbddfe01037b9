package layerwise.bench.run;

/** Where ranges and own launches go while somebody listens. */
sealed interface RangeSink permits RecordedRanges, NvtxRanges {
    void enter(String range);

    void leave();

    void mark(String text);

    long now();

    void ran(String kernel, int stream, long start, long end);
}
