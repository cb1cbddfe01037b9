package layerwise.report.profile;

import java.util.ArrayList;
import java.util.List;

/**
 * A sequence of rows that repeats at once: the same layer several times.
 *
 * <p>Only complete modules repeat: a block begins and ends where the outermost range around the rows changes, so two
 * equal kernels in a row inside one module are no block.
 *
 * @param firstRow first row of the first repetition
 * @param rows     rows of one repetition
 * @param times    repetitions, 2 or more
 */
public record RepeatedBlock(int firstRow, int rows, int times) {
    private record Segment(int from, int to) {}

    /** The repeated blocks of a table, in order, none inside another. */
    public static List<RepeatedBlock> of(MergedTable table) {
        int operations = (int) table.rows().stream()
                .filter(row -> row.kind() == MergedTable.Kind.OPERATION)
                .count();
        List<RepeatedBlock> blocks = new ArrayList<>();
        find(table.rows().subList(0, operations), 0, 0, blocks);
        return List.copyOf(blocks);
    }

    private static void find(List<MergedTable.Row> rows, int offset, int depth, List<RepeatedBlock> blocks) {
        List<Segment> segments = segments(rows, depth);
        int at = 0;
        while (at < segments.size()) {
            int period = 0;
            int times = 1;
            for (int length = 1; length <= (segments.size() - at) / 2 && times == 1; length++) {
                period = length;
                times = times(rows, segments, at, length);
            }
            boolean module = segments.subList(at, at + Math.max(1, period)).stream()
                    .anyMatch(s -> rows.get(s.from()).path().size() > depth);
            Segment first = segments.get(at);
            if (times > 1 && module) {
                int end = segments.get(at + period - 1).to();
                blocks.add(new RepeatedBlock(offset + first.from(), end - first.from(), times));
                at += period * times;
            } else {
                if (rows.get(first.from()).path().size() > depth + 1 || isNested(rows, first, depth)) {
                    find(rows.subList(first.from(), first.to()), offset + first.from(), depth + 1, blocks);
                }
                at++;
            }
        }
    }

    private static boolean isNested(List<MergedTable.Row> rows, Segment segment, int depth) {
        return rows.subList(segment.from(), segment.to()).stream()
                .anyMatch(row -> row.path().size() > depth + 1);
    }

    /** Maximal stretches of rows inside one range at this depth; a row outside any is a stretch of its own. */
    private static List<Segment> segments(List<MergedTable.Row> rows, int depth) {
        List<Segment> segments = new ArrayList<>();
        int from = 0;
        for (int row = 1; row <= rows.size(); row++) {
            if (row == rows.size() || !isInOneRange(rows.get(row - 1), rows.get(row), depth)) {
                segments.add(new Segment(from, row));
                from = row;
            }
        }
        return segments;
    }

    private static boolean isInOneRange(MergedTable.Row a, MergedTable.Row b, int depth) {
        return a.instances().size() > depth
                && b.instances().size() > depth
                && a.path().get(depth).equals(b.path().get(depth))
                && a.instances().get(depth).equals(b.instances().get(depth));
    }

    private static int times(List<MergedTable.Row> rows, List<Segment> segments, int at, int period) {
        int times = 1;
        while (at + (times + 1) * period <= segments.size()
                && isEqual(rows, segments, at, at + times * period, period)) {
            times++;
        }
        return times;
    }

    private static boolean isEqual(List<MergedTable.Row> rows, List<Segment> segments, int a, int b, int period) {
        int fromA = segments.get(a).from();
        int fromB = segments.get(b).from();
        int count = segments.get(a + period - 1).to() - fromA;
        if (segments.get(b + period - 1).to() - fromB != count) {
            return false;
        }
        for (int i = 0; i < count; i++) {
            MergedTable.Row left = rows.get(fromA + i);
            MergedTable.Row right = rows.get(fromB + i);
            if (!left.name().equals(right.name()) || !left.path().equals(right.path())) {
                return false;
            }
        }
        return true;
    }
}
