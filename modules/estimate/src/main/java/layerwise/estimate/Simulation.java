package layerwise.estimate;

import java.util.ArrayList;
import java.util.List;
import layerwise.op.Program;

/** Runs programs of ranks that wait for each other in collectives, on one clock. */
public final class Simulation {
    private Simulation() {}

    /**
     * When each rank's operators run.
     *
     * @param programs of each rank; all with the same number of collectives in the same order
     * @return for each rank the operators of its program, in order
     */
    public static List<List<Span>> run(List<Program> programs, TimeModel model, Mode mode) {
        List<RankClock> clocks = new ArrayList<>();
        for (Program program : programs) {
            clocks.add(new RankClock(program, model, mode));
        }
        while (true) {
            double latest = Double.NEGATIVE_INFINITY;
            int waiting = 0;
            for (RankClock clock : clocks) {
                double since = clock.untilMeeting();
                if (!Double.isNaN(since)) {
                    latest = Math.max(latest, since);
                    waiting++;
                }
            }
            if (waiting == 0) {
                return clocks.stream().map(RankClock::spans).toList();
            }
            if (waiting < clocks.size()) {
                throw new IllegalArgumentException(
                        "%d of %d ranks wait for others that never come".formatted(waiting, clocks.size()));
            }
            for (RankClock clock : clocks) {
                clock.meet(latest);
            }
        }
    }

    /** Nanoseconds from the first start to the last end of one rank. */
    public static double total(List<Span> spans) {
        double start = spans.stream().mapToDouble(Span::start).min().orElse(0);
        return spans.stream().mapToDouble(Span::end).max().orElse(0) - start;
    }
}
