package layerwise.report.render;

import java.util.ArrayList;
import java.util.List;
import layerwise.report.profile.MergedTable;

/**
 * The rows of a table as a tree: a line for every module where the path changes, and a line for every row.
 *
 * <p>A module appears again whenever the sequence leaves it and comes back.
 */
final class TreeLines {
    private static final String INDENT = "|--";

    private TreeLines() {}

    /** A line of the tree. */
    sealed interface Line {
        int depth();

        String name();

        /** Indentation and full name. */
        default String indented() {
            return INDENT.repeat(depth()) + name();
        }
    }

    /** A module around the following lines. */
    record Module(int depth, String name) implements Line {}

    /** A row with values. */
    record Leaf(int depth, String name, MergedTable.Row row) implements Line {}

    static List<Line> of(List<MergedTable.Row> rows) {
        List<Line> lines = new ArrayList<>();
        List<String> open = List.of();
        for (MergedTable.Row row : rows) {
            List<String> path = row.path();
            int shared = 0;
            while (shared < open.size()
                    && shared < path.size()
                    && open.get(shared).equals(path.get(shared))) {
                shared++;
            }
            for (int level = shared; level < path.size(); level++) {
                lines.add(new Module(level, path.get(level)));
            }
            lines.add(new Leaf(path.size(), row.name(), row));
            open = path;
        }
        return lines;
    }
}
