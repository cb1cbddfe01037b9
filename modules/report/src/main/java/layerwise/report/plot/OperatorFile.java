package layerwise.report.plot;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.stream.Collectors;
import layerwise.trace.ProblemSpec;
import layerwise.trace.TraceException;

/**
 * Operators that were timed alone: the JSON file that {@code operators} left.
 *
 * @param model  name of the model
 * @param device what ran
 * @param rows   one for each operator that was timed
 */
public record OperatorFile(Path file, String model, String device, List<Row> rows) {
    private static final int SCHEMA_VERSION = 1;
    private static final String COLD = "cold";

    public OperatorFile {
        rows = List.copyOf(rows);
    }

    /**
     * An operator in one problem.
     *
     * @param format of the cache that it reads; empty where it reads none
     * @param cache  whether its operands were in the GPU's cache
     */
    record Row(PlotPoint point, String operator, String shape, String format, String cache) {
        static Row of(JsonPlace row) {
            ProblemSpec problem = new ProblemSpec(
                    row.at("batch_size").count(1),
                    row.at("seq_len_q").count(1),
                    row.at("seq_len_kv_cache").count(0),
                    OptionalDouble.empty());
            double limit = row.find("limit_us").map(JsonPlace::number).orElse(Double.NaN);
            return new Row(
                    new PlotPoint(problem, 1000 * median(row.at("micros")), 1000 * limit),
                    row.at("operator").text(),
                    row.at("shape").text(),
                    row.at("sizes").find("cache").map(JsonPlace::text).orElse(""),
                    row.at("cache").text());
        }

        private static double median(JsonPlace micros) {
            double[] sorted = micros.elements().stream()
                    .mapToDouble(JsonPlace::positive)
                    .sorted()
                    .toArray();
            return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
        }
    }

    /**
     * Reads a file.
     *
     * @throws TraceException if it is missing or not in that form
     */
    public static OperatorFile read(Path file) {
        JsonPlace root = JsonPlace.root(file);
        int version = root.at("schema_version").count(1);
        if (version != SCHEMA_VERSION) {
            throw new TraceException(file + ": schema_version is " + version + "; expected " + SCHEMA_VERSION);
        }
        return new OperatorFile(
                file,
                root.at("args").at("model").text(),
                root.at("device").text(),
                root.at("operators").elements().stream().map(Row::of).toList());
    }

    /**
     * The points of one operator.
     *
     * @throws TraceException if no problem has it, or one has several of its name
     */
    public PlotFile points(String operator) {
        List<Row> found =
                rows.stream().filter(row -> row.operator().equals(operator)).toList();
        if (found.isEmpty()) {
            List<String> known = rows.stream().map(Row::operator).distinct().toList();
            String nearest = NearestName.hint(operator, known);
            throw new TraceException("--operator " + operator + ": expected an operator of " + file
                    + (nearest.isEmpty() ? ": " + String.join(", ", known) : nearest));
        }
        requireOneInEachProblem(operator);
        return new PlotFile(
                file,
                traits(found.getFirst()),
                List.of(device),
                Optional.empty(),
                caveat(found),
                found.stream().map(Row::point).toList());
    }

    private void requireOneInEachProblem(String operator) {
        List<String> several = several(operator);
        if (several.isEmpty()) {
            return;
        }
        List<String> single = rows.stream()
                .map(Row::operator)
                .distinct()
                .filter(name -> several(name).isEmpty())
                .toList();
        throw new TraceException("--operator " + operator + ": is " + several.size() + " operators of one problem of "
                + file + ", " + String.join(", ", several) + "; expected one that is once in each"
                + (single.isEmpty() ? "" : ": " + String.join(", ", single)));
    }

    /** Shapes of all operators of this name in the first problem that has several; empty where none has. */
    private List<String> several(String operator) {
        Map<ProblemSpec, List<String>> shapes = rows.stream()
                .filter(row -> row.operator().equals(operator))
                .collect(Collectors.groupingBy(
                        row -> row.point().problem(), Collectors.mapping(Row::shape, Collectors.toList())));
        return rows.stream()
                .map(row -> shapes.getOrDefault(row.point().problem(), List.of()))
                .filter(all -> all.size() > 1)
                .findFirst()
                .orElse(List.of());
    }

    /** The model without who published it, else names are too long for a legend. */
    private List<String> traits(Row row) {
        return List.of(
                model.substring(model.lastIndexOf('/') + 1),
                row.format().isEmpty() ? "" : "cache " + row.format(),
                device);
    }

    private static Optional<String> caveat(List<Row> found) {
        Map<String, Long> states = found.stream()
                .filter(row -> !row.cache().equals(COLD))
                .collect(Collectors.groupingBy(Row::cache, TreeMap::new, Collectors.counting()));
        if (states.isEmpty()) {
            return Optional.empty();
        }
        long points = states.values().stream().mapToLong(Long::longValue).sum();
        return Optional.of("operands may have been in the L2 at %d of %d points (%s)"
                .formatted(points, found.size(), String.join(", ", states.keySet())));
    }
}
