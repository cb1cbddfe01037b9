package layerwise.report.table;

import static tech.tablesaw.aggregate.AggregateFunctions.count;
import static tech.tablesaw.aggregate.AggregateFunctions.sum;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import layerwise.report.profile.Cost;
import layerwise.report.profile.Operation;
import layerwise.report.profile.ProblemProfile;
import layerwise.report.profile.Samples;
import tech.tablesaw.api.DoubleColumn;
import tech.tablesaw.api.IntColumn;
import tech.tablesaw.api.Row;
import tech.tablesaw.api.Table;

/** Sums the operations of a problem by module, every module with what is nested in it. */
public final class ModuleSums {
    private final Map<List<String>, Integer> numbers = new LinkedHashMap<>();
    private final List<long[]> samples = new ArrayList<>();
    private final IntColumn module = IntColumn.create("module");
    private final DoubleColumn nanos = DoubleColumn.create("nanos");
    private final DoubleColumn flops = DoubleColumn.create("flops");
    private final DoubleColumn bytes = DoubleColumn.create("bytes");
    private final DoubleColumn links = DoubleColumn.create("links");
    private final DoubleColumn limit = DoubleColumn.create("limit");
    private final DoubleColumn ceiling = DoubleColumn.create("ceiling");
    private final DoubleColumn memory = DoubleColumn.create("memory");
    private final DoubleColumn network = DoubleColumn.create("network");

    private ModuleSums() {}

    /** The sums of one problem, in order of each module's first kernel. */
    public static List<ModuleSum> of(ProblemProfile problem) {
        ModuleSums sums = new ModuleSums();
        for (Operation operation : problem.operations()) {
            if (operation.path().isEmpty()) {
                sums.add(List.of(), operation);
            }
            for (int depth = 1; depth <= operation.path().size(); depth++) {
                sums.add(operation.path().subList(0, depth), operation);
            }
        }
        return sums.summarize(problem.totals().total().mean());
    }

    private void add(List<String> path, Operation operation) {
        Samples durations = operation.durations();
        Integer known = numbers.get(path);
        if (known == null) {
            known = numbers.size();
            numbers.put(List.copyOf(path), known);
            samples.add(new long[durations.count()]);
        }
        for (int run = 0; run < durations.count(); run++) {
            samples.get(known)[run] += durations.at(run);
        }
        module.append(known);
        nanos.append(durations.mean());
        double[] cost = operation
                .cost()
                .map(c -> new double[] {
                    c.flops(), c.bytes(), c.linkBytes(), c.limitNanos(), c.leastNanos(), c.memoryNanos(), c.linkNanos()
                })
                .orElseGet(() -> {
                    double[] unknown = new double[7];
                    Arrays.fill(unknown, Double.NaN);
                    return unknown;
                });
        List<DoubleColumn> columns = List.of(flops, bytes, links, limit, ceiling, memory, network);
        for (int i = 0; i < cost.length; i++) {
            columns.get(i).append(cost[i]);
        }
    }

    private List<ModuleSum> summarize(double total) {
        Table table = Table.create("operations", module, nanos, flops, bytes, links, limit, ceiling, memory, network);
        boolean priced = flops.size() > flops.countMissing();
        // Every column of every group costs tablesaw a copy; a trace of others has none to sum but times.
        List<String> summed = priced
                ? List.of("nanos", "flops", "bytes", "links", "limit", "ceiling", "memory", "network")
                : List.of("nanos");
        Table sums = table.summarize(summed, sum, count).by("module").sortAscendingOn("module");
        List<List<String>> paths = List.copyOf(numbers.keySet());
        List<ModuleSum> result = new ArrayList<>();
        for (Row row : sums) {
            int number = row.getInt("module");
            double time = row.getDouble("Sum [nanos]");
            result.add(new ModuleSum(
                    paths.get(number),
                    (int) row.getDouble("Count [nanos]"),
                    time,
                    new Samples(samples.get(number)),
                    time / total,
                    priced ? cost(row) : Optional.empty()));
        }
        return result;
    }

    private static Optional<Cost> cost(Row row) {
        return row.getDouble("Count [flops]") == 0
                ? Optional.empty()
                : Optional.of(new Cost(
                        row.getDouble("Sum [flops]"),
                        row.getDouble("Sum [bytes]"),
                        row.getDouble("Sum [links]"),
                        sumOrUnknown(row, "limit"),
                        sumOrUnknown(row, "ceiling"),
                        sumOrUnknown(row, "memory"),
                        sumOrUnknown(row, "network")));
    }

    /** A sum of which a part is unknown is unknown. */
    private static double sumOrUnknown(Row row, String column) {
        boolean complete = row.getDouble("Count [" + column + "]") == row.getDouble("Count [flops]");
        return complete ? row.getDouble("Sum [" + column + "]") : Double.NaN;
    }
}
