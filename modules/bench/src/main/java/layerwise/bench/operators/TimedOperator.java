package layerwise.bench.operators;

import java.util.List;
import java.util.stream.Collectors;
import layerwise.bench.config.Statistics;
import layerwise.op.Execution;
import layerwise.op.WeightPath;
import layerwise.trace.CostRecord;
import layerwise.trace.ProblemSpec;

/**
 * An operator, what it must do at least, and how long it took.
 *
 * @param problem the first in which it occurs
 * @param module  ranges around it
 * @param cost    as the trace's marker states it
 * @param sizes   of the operator, one by one
 * @param path    how it ran: what reads its weight, else its kernels; empty on an executor that has one way
 * @param kernels that one launch runs
 * @param copies  of its operands, which took turns
 * @param cache   whether operands were in the cache
 * @param micros  of one launch, a value for each replay
 */
record TimedOperator(
        ProblemSpec problem,
        String module,
        CostRecord cost,
        OperatorSizes sizes,
        String path,
        List<String> kernels,
        int copies,
        CacheState cache,
        List<Double> micros) {
    TimedOperator {
        kernels = List.copyOf(kernels);
        micros = List.copyOf(micros);
    }

    /** How an execution of one operator runs. */
    static String path(Execution execution) {
        List<String> paths = execution.weightPaths().stream()
                .map(WeightPath::path)
                .distinct()
                .toList();
        return paths.isEmpty()
                ? execution.kernels().stream().distinct().collect(Collectors.joining(" + "))
                : String.join("; ", paths);
    }

    Statistics statistics() {
        return Statistics.of(micros.stream().mapToDouble(Double::doubleValue).toArray());
    }

    /** Microseconds; NaN where the device has no description. */
    double limit() {
        return cost.limitNanos() / 1e3;
    }

    /** The median over the limit. */
    double ratio() {
        return statistics().median() / limit();
    }

    double teraflops() {
        return cost.flops() / statistics().median() / 1e6;
    }

    double gigabytes() {
        return cost.bytes() / statistics().median() / 1e3;
    }
}
