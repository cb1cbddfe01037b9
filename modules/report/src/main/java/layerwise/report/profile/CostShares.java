package layerwise.report.profile;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import layerwise.trace.CostRecord;

/** Divides the cost of every launched operator over the kernels that its launch made. */
final class CostShares {
    private static final int NONE = -1;

    private final Recording recording;

    CostShares(Recording recording) {
        this.recording = recording;
    }

    /** The operations with their costs; {@code run} holds the activities of one run, in the same order. */
    List<Operation> apply(List<Operation> operations, int[] run, Captures captures, Attribution attribution) {
        int[] costRanges = new int[run.length];
        Map<Integer, Double> nanosOf = new HashMap<>();
        Map<Integer, Integer> kernelsOf = new HashMap<>();
        for (int i = 0; i < run.length; i++) {
            costRanges[i] = innermostCost(captures.enclosing(attribution.capture(run[i])));
            nanosOf.merge(costRanges[i], operations.get(i).durations().mean(), Double::sum);
            kernelsOf.merge(costRanges[i], 1, Integer::sum);
        }
        Map<Integer, Integer> numbers = new HashMap<>();
        List<Operation> priced = new ArrayList<>();
        for (int i = 0; i < run.length; i++) {
            Operation plain = operations.get(i);
            if (costRanges[i] == NONE) {
                priced.add(plain);
                continue;
            }
            double sum = nanosOf.get(costRanges[i]);
            double share = sum > 0 ? plain.durations().mean() / sum : 1.0 / kernelsOf.get(costRanges[i]);
            int number = numbers.computeIfAbsent(costRanges[i], range -> numbers.size());
            CostRecord record = recording.cost(costRanges[i]).orElseThrow();
            priced.add(new Operation(
                    plain.path(),
                    plain.instances(),
                    plain.fullName(),
                    plain.shortName(),
                    plain.durations(),
                    plain.meanEnd(),
                    plain.lane(),
                    Optional.of(new Launch(number, record, share)),
                    plain.frames()));
        }
        return priced;
    }

    private int innermostCost(int[] ranges) {
        for (int i = ranges.length - 1; i >= 0; i--) {
            if (recording.cost(ranges[i]).isPresent()) {
                return ranges[i];
            }
        }
        return NONE;
    }
}
