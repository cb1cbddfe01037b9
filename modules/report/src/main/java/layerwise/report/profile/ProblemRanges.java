package layerwise.report.profile;

import java.util.Arrays;
import layerwise.trace.ProblemSpec;

/** The ranges of one problem while markers are read: its runs, and the module ranges that start after its marker. */
final class ProblemRanges {
    private final ProblemSpec spec;
    private final long start;
    private String title = "";
    private long[] runStarts = new long[32];
    private long[] runEnds = new long[32];
    private int runs;
    private int[] modules = new int[64];
    private int moduleCount;

    ProblemRanges(ProblemSpec spec, long start) {
        this.spec = spec;
        this.start = start;
    }

    void addRun(String label, long runStart, long runEnd) {
        if (runs == runStarts.length) {
            runStarts = Arrays.copyOf(runStarts, runs * 2);
            runEnds = Arrays.copyOf(runEnds, runs * 2);
        }
        title = label;
        runStarts[runs] = runStart;
        runEnds[runs++] = runEnd;
    }

    void addModule(int range) {
        if (moduleCount == modules.length) {
            modules = Arrays.copyOf(modules, moduleCount * 2);
        }
        modules[moduleCount++] = range;
    }

    ProblemSpec spec() {
        return spec;
    }

    /** When its marker stands. */
    long start() {
        return start;
    }

    /** The label of its runs. */
    String title() {
        return title;
    }

    int runs() {
        return runs;
    }

    long runStart(int run) {
        return runStarts[run];
    }

    long runEnd(int run) {
        return runEnds[run];
    }

    /** The run that a launch at this instant belongs to: the last one begun, unless it is over; -1 for none. */
    int runAt(long instant) {
        int found = Arrays.binarySearch(runStarts, 0, runs, instant);
        int run = found >= 0 ? lastEqual(found) : -found - 2;
        return run >= 0 && instant < runEnds[run] ? run : -1;
    }

    /** How many runs have begun at this instant. */
    int runsBegunBy(long instant) {
        int found = Arrays.binarySearch(runStarts, 0, runs, instant);
        return found >= 0 ? lastEqual(found) + 1 : -found - 1;
    }

    private int lastEqual(int found) {
        int last = found;
        while (last + 1 < runs && runStarts[last + 1] == runStarts[found]) {
            last++;
        }
        return last;
    }

    /** Module, ignore and cost ranges as numbers of the trace's ranges, outer before inner. */
    int[] modules() {
        return Arrays.copyOf(modules, moduleCount);
    }
}
