package layerwise.trace;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Who made the CUDA API calls of a trace: for each call with a recorded call chain its frames, innermost first. */
public final class CallChains {
    /** Calls of one thread by start; calls of a thread do not overlap. */
    private static final class Calls {
        private final long[] starts;
        private final long[] ends;
        private final int[] chains;

        Calls(List<Integer> rows, long[][] columns) {
            starts = rows.stream().mapToLong(row -> columns[0][row]).toArray();
            ends = rows.stream().mapToLong(row -> columns[1][row]).toArray();
            chains = rows.stream().mapToInt(row -> (int) columns[3][row]).toArray();
        }

        /** The chain of the call that was going on; 0 where none was. */
        int at(long time) {
            int found = Arrays.binarySearch(starts, time);
            int last = found >= 0 ? found : -found - 2;
            return last >= 0 && time <= ends[last] ? chains[last] : 0;
        }
    }

    private final Map<Integer, List<String>> frames;
    private final Map<Long, Calls> byThread = new HashMap<>();

    /**
     * Arranges calls.
     *
     * @param frames  by id of the chain
     * @param columns start, end, globalTid, callchainId (0 for none)
     */
    CallChains(Map<Integer, List<String>> frames, long[][] columns, int size) {
        this.frames = frames;
        Map<Long, List<Integer>> rows = new HashMap<>();
        IntStream.range(0, size)
                .filter(row -> columns[3][row] != 0)
                .boxed()
                .sorted(Comparator.comparingLong(row -> columns[0][row]))
                .forEach(row -> rows.computeIfAbsent(columns[2][row], thread -> new ArrayList<>())
                        .add(row));
        rows.forEach((thread, calls) -> byThread.put(thread, new Calls(calls, columns)));
    }

    /** Whether the trace has none. */
    public boolean isEmpty() {
        return byThread.isEmpty();
    }

    /**
     * The chain of the call that a thread was in.
     *
     * @param thread as the {@code globalTid} column has it
     * @param time   nanoseconds since the session's start
     * @return its frames, innermost first; none where no call with a chain was going on
     */
    public List<String> at(long thread, long time) {
        Calls calls = byThread.get(thread);
        if (calls == null) {
            return List.of();
        }
        return frames.getOrDefault(calls.at(time), List.of());
    }
}
