package layerwise.trace;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Closed push/pop ranges of a trace, by start, the longer first among equal starts: outer before inner.
 *
 * <p>Texts are numbered, so that each distinct text is interpreted once.
 */
public final class NvtxRanges {
    private final List<String> texts = new ArrayList<>();
    private final Map<String, Integer> numbers = new HashMap<>();
    private final long[] starts;
    private final long[] ends;
    private final int[] textNumbers;
    private final long[] threads;
    private final boolean[] nccl;

    NvtxRanges(int size) {
        starts = new long[size];
        ends = new long[size];
        textNumbers = new int[size];
        threads = new long[size];
        nccl = new boolean[size];
    }

    public int size() {
        return starts.length;
    }

    /** Begin, nanoseconds since the session's start. */
    public long start(int range) {
        return starts[range];
    }

    /** End, nanoseconds since the session's start. */
    public long end(int range) {
        return ends[range];
    }

    /** Number of the range's text, from 0. */
    public int textNumber(int range) {
        return textNumbers[range];
    }

    /** The thread that opened it, as the {@code globalTid} column has it. */
    public long thread(int range) {
        return threads[range];
    }

    /** Whether the range is of NCCL's own domain. */
    public boolean isNccl(int range) {
        return nccl[range];
    }

    /** All texts by number. */
    public List<String> texts() {
        return List.copyOf(texts);
    }

    int number(String text) {
        return numbers.computeIfAbsent(text, added -> {
            texts.add(added);
            return texts.size() - 1;
        });
    }

    void set(int at, long start, long end, int textNumber, long thread, boolean ofNccl) {
        starts[at] = start;
        ends[at] = end;
        textNumbers[at] = textNumber;
        threads[at] = thread;
        nccl[at] = ofNccl;
    }
}
