package layerwise.trace;

import java.util.Arrays;

/** The push/pop ranges of one thread, kept until the recording is written. */
final class RangeLog {
    /** End of a range that is still open. */
    static final long OPEN = Long.MIN_VALUE;

    private int threadId;
    private long[] starts = new long[256];
    private long[] ends = new long[256];
    private String[] texts = new String[256];
    private int size;
    private int[] open = new int[32];
    private int depth;

    RangeLog(int threadId) {
        this.threadId = threadId;
    }

    int threadId() {
        return threadId;
    }

    void threadId(int value) {
        threadId = value;
    }

    void push(String text, long time) {
        if (size == starts.length) {
            starts = Arrays.copyOf(starts, Math.multiplyExact(size, 2));
            ends = Arrays.copyOf(ends, Math.multiplyExact(size, 2));
            texts = Arrays.copyOf(texts, Math.multiplyExact(size, 2));
        }
        if (depth == open.length) {
            open = Arrays.copyOf(open, depth * 2);
        }
        starts[size] = time;
        ends[size] = OPEN;
        texts[size] = text;
        open[depth++] = size++;
    }

    void pop(long time) {
        if (depth == 0) {
            throw new IllegalStateException("popRange without a pushRange on this thread");
        }
        ends[open[--depth]] = time;
    }

    int size() {
        return size;
    }

    long start(int range) {
        return starts[range];
    }

    long end(int range) {
        return ends[range];
    }

    String text(int range) {
        return texts[range];
    }
}
