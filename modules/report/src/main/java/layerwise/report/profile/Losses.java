package layerwise.report.profile;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import layerwise.trace.CostRecord;

/** Where a problem's time goes beyond what its limits ask for. */
public final class Losses {
    private Losses() {}

    /**
     * Launches of one operator and shape at one place.
     *
     * @param path    modules around them
     * @param kernels names of their kernels, each once
     * @param record  what the trace says about one of them
     * @param times   how many launches
     * @param nanos   mean time of all of them together
     * @param cost    their work together
     * @param beside  whether they ran on another stream than most of the problem
     */
    public record Loss(
            List<String> path,
            List<String> kernels,
            CostRecord record,
            int times,
            double nanos,
            Cost cost,
            boolean beside) {
        /** Time beyond the limit. */
        public double lostNanos() {
            return nanos - cost.limitNanos();
        }
    }

    private record Key(List<String> path, String operator, String shape) {}

    private static final class Sum {
        private final Set<String> kernels = new LinkedHashSet<>();
        private final Set<Integer> launches = new LinkedHashSet<>();
        private CostRecord record;
        private int lane;
        private double nanos;
        private Cost cost = Cost.none();
    }

    /** The losses of a problem, the greatest first; operators without a limit are left out. */
    public static List<Loss> of(ProblemProfile problem) {
        Map<Key, Sum> sums = new LinkedHashMap<>();
        Map<Integer, Double> lanes = new HashMap<>();
        for (Operation operation : problem.operations()) {
            lanes.merge(operation.lane(), operation.durations().mean(), Double::sum);
            operation.launch().filter(launch -> launch.cost().limitNanos() > 0).ifPresent(launch -> {
                CostRecord record = launch.operator();
                Sum sum = sums.computeIfAbsent(
                        new Key(operation.path(), record.operator(), record.shape()), first -> new Sum());
                sum.kernels.add(operation.shortName());
                sum.launches.add(launch.number());
                sum.record = record;
                sum.lane = operation.lane();
                sum.nanos += operation.durations().mean();
                sum.cost = sum.cost.plus(launch.cost());
            });
        }
        int busiest = lanes.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .orElse(0);
        List<Loss> losses = new ArrayList<>();
        sums.forEach((key, sum) -> losses.add(new Loss(
                key.path(),
                List.copyOf(sum.kernels),
                sum.record,
                sum.launches.size(),
                sum.nanos,
                sum.cost,
                sum.lane != busiest)));
        losses.sort(Comparator.comparingDouble(Loss::lostNanos).reversed());
        return losses;
    }
}
