package layerwise.report.profile;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One table over all problems: rows are the common supersequence of the problems' sequences, columns the problems.
 *
 * <p>The last three rows are overlap, space and total; the total is the sum of all rows above it.
 *
 * @param titles one title for each problem
 * @param rows   rows in sequence order
 */
public record MergedTable(List<String> titles, List<Row> rows) {
    public static final String OVERLAP = "Overlap";
    public static final String SPACE = "Space";
    public static final String TOTAL = "Total";

    /** What a row shows. */
    public enum Kind {
        OPERATION,
        OVERLAP,
        SPACE,
        TOTAL
    }

    /**
     * A value of one problem.
     *
     * @param nanos     mean
     * @param samples   the values that it is the mean of
     * @param share     its part of the problem's total
     * @param operation what was measured; empty in overlap, space and total
     */
    public record Cell(double nanos, Samples samples, double share, Optional<Operation> operation) {}

    /**
     * One row.
     *
     * @param path      module names, outer before inner
     * @param name      short name
     * @param cells     one for each problem; empty where the problem has no such operation
     * @param instances the ranges behind the path in the first problem that has the row
     */
    public record Row(Kind kind, List<String> path, String name, List<Optional<Cell>> cells, List<Integer> instances) {
        /** The mean in nanoseconds, 0 where the problem has no such operation. */
        public double nanos(int problem) {
            return cells.get(problem).map(Cell::nanos).orElse(0.0);
        }
    }

    private record Key(List<String> path, String name) {}

    private record Entry(Kind kind, Key key, Cell cell) {}

    /** Merges the problems from left to right. */
    public static MergedTable of(List<ProblemProfile> problems) {
        List<List<Entry>> columns = problems.stream().map(MergedTable::entries).toList();
        List<Key> keys = List.of();
        for (List<Entry> column : columns) {
            keys = Supersequence.merge(keys, column.stream().map(Entry::key).toList());
        }
        List<List<Optional<Entry>>> table = new ArrayList<>();
        for (List<Entry> column : columns) {
            table.add(place(column, keys));
        }
        List<Row> rows = new ArrayList<>();
        for (int row = 0; row < keys.size(); row++) {
            int at = row;
            List<Optional<Entry>> entries =
                    table.stream().map(column -> column.get(at)).toList();
            Entry first = entries.stream().flatMap(Optional::stream).findFirst().orElseThrow();
            rows.add(new Row(
                    first.kind(),
                    keys.get(row).path(),
                    keys.get(row).name(),
                    entries.stream().map(entry -> entry.map(Entry::cell)).toList(),
                    first.cell().operation().map(Operation::instances).orElse(List.of())));
        }
        return new MergedTable(problems.stream().map(ProblemProfile::title).toList(), List.copyOf(rows));
    }

    private static List<Entry> entries(ProblemProfile problem) {
        double overlap = problem.totals().overlap().mean();
        double space = problem.totals().space().mean();
        double total = total(problem);
        List<Entry> entries = new ArrayList<>();
        for (Operation operation : problem.operations()) {
            double nanos = operation.durations().mean();
            entries.add(new Entry(
                    Kind.OPERATION,
                    new Key(operation.path(), operation.shortName()),
                    new Cell(nanos, operation.durations(), nanos / total, Optional.of(operation))));
        }
        entries.add(whole(Kind.OVERLAP, OVERLAP, overlap, problem.totals().overlap(), total));
        entries.add(whole(Kind.SPACE, SPACE, space, problem.totals().space(), total));
        entries.add(whole(Kind.TOTAL, TOTAL, total, problem.totals().total(), total));
        return entries;
    }

    /** The sum of all rows in their order: another order would differ in the last bit from the reference's tool. */
    private static double total(ProblemProfile problem) {
        double sum = 0;
        for (Operation operation : problem.operations()) {
            sum += operation.durations().mean();
        }
        return sum
                + problem.totals().overlap().mean()
                + problem.totals().space().mean();
    }

    private static Entry whole(Kind kind, String name, double nanos, Samples samples, double total) {
        return new Entry(kind, new Key(List.of(), name), new Cell(nanos, samples, nanos / total, Optional.empty()));
    }

    /** Puts each entry at the next equal key at or after the one before. */
    private static List<Optional<Entry>> place(List<Entry> column, List<Key> keys) {
        List<Optional<Entry>> placed = new ArrayList<>();
        int next = 0;
        for (Key key : keys) {
            boolean here = next < column.size() && column.get(next).key().equals(key);
            placed.add(here ? Optional.of(column.get(next++)) : Optional.empty());
        }
        return placed;
    }
}
