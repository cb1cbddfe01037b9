package layerwise.report.profile;

import java.util.Arrays;
import layerwise.trace.NvtxRanges;

/** Finds the ranges that contain an interval; intervals must be asked for in order of start. */
final class EnclosingRanges {
    private static final int[] NONE = {};

    private final NvtxRanges ranges;
    private final int[] candidates;
    private int next;
    private int[] open = new int[64];
    private int openCount;
    private int[] last = NONE;

    /**
     * Prepares a search.
     *
     * @param candidates numbers of the ranges to look among, by start, the longer first among equals
     */
    EnclosingRanges(NvtxRanges ranges, int[] candidates) {
        this.ranges = ranges;
        this.candidates = candidates;
    }

    /** The ranges that contain {@code [start, end]}, both ends included, outer before inner. */
    int[] containing(long start, long end) {
        if (next < candidates.length && ranges.start(candidates[next]) <= start) {
            advance(start);
        }
        int count = 0;
        for (int i = 0; i < openCount; i++) {
            count += ranges.end(open[i]) >= end ? 1 : 0;
        }
        int[] found = count == 0 ? NONE : new int[count];
        int at = 0;
        for (int i = 0; i < openCount; i++) {
            if (ranges.end(open[i]) >= end) {
                found[at++] = open[i];
            }
        }
        // Neighbours mostly share their path: keep one array for all of them.
        last = Arrays.equals(found, last) ? last : found;
        return last;
    }

    private void advance(long start) {
        int kept = 0;
        for (int i = 0; i < openCount; i++) {
            if (ranges.end(open[i]) >= start) {
                open[kept++] = open[i];
            }
        }
        openCount = kept;
        while (next < candidates.length && ranges.start(candidates[next]) <= start) {
            if (ranges.end(candidates[next]) >= start) {
                if (openCount == open.length) {
                    open = Arrays.copyOf(open, openCount * 2);
                }
                open[openCount++] = candidates[next];
            }
            next++;
        }
    }
}
