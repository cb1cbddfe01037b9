package layerwise.bench.operators;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import layerwise.bench.ranks.Slowest;
import layerwise.op.Execution;
import layerwise.op.Executor;
import layerwise.op.Replay;
import layerwise.op.Stopwatch;

/**
 * Times one operator by replays of a graph in which its copies take turns. A replay holds enough turns to be long against what
 * starts it.
 *
 * @param ranks those that launch together; the same number of times, so by the slowest one's
 */
record OperatorTimer(Executor device, Slowest ranks) {
    /** Replays that count, at least. */
    static final int LEAST_REPLAYS = 7;

    private static final int MOST_REPLAYS = 1000;
    private static final double LEAST_MICROS = 40_000;
    private static final double REPLAY_MICROS = 1000;
    private static final int MOST_TURNS = 32;

    /** Microseconds of one launch, one value for each replay. */
    List<Double> time(List<Execution> copies) {
        List<Execution> launches = turns(copies);
        try (Replay replay = device.capture(launches)) {
            replay.launch();
            device.synchronize();
            double once = ranks.of(marked(1, replay::launch)).getFirst();
            int replays = (int) Math.clamp(Math.ceil(LEAST_MICROS / once), LEAST_REPLAYS, MOST_REPLAYS);
            return ranks.of(marked(replays, replay::launch)).stream()
                    .map(micros -> micros / launches.size())
                    .toList();
        }
    }

    /** Every copy as often as fills a replay. */
    private List<Execution> turns(List<Execution> copies) {
        copies.forEach(Execution::run); // the first run loads kernels
        device.synchronize();
        double turn = ranks.of(marked(1, () -> copies.forEach(Execution::run))).getFirst();
        int turns = (int) Math.clamp(Math.ceil(REPLAY_MICROS / turn), 1, MOST_TURNS);
        return Collections.nCopies(turns, copies).stream().flatMap(List::stream).toList();
    }

    private List<Double> marked(int times, Runnable work) {
        try (Stopwatch stopwatch = device.stopwatch(times + 1)) {
            stopwatch.mark(0);
            for (int i = 0; i < times; i++) {
                work.run();
                stopwatch.mark(i + 1);
            }
            device.synchronize();
            List<Double> micros = new ArrayList<>();
            for (int i = 0; i < times; i++) {
                micros.add(stopwatch.micros(i, i + 1));
            }
            return micros;
        }
    }
}
