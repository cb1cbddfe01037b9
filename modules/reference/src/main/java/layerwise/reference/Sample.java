package layerwise.reference;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * The elements of an operator's output that are computed: all of them, or, where that would take too long, chosen rows,
 * each in a part of its columns.
 *
 * <p>Columns are cut into as many runs as there are groups of rows, and a group is computed in its own run only: every
 * chosen row and every column takes part. The first and the last row are in every group.
 */
public final class Sample {
    private final int[][] groups;
    private final int total;

    private Sample(int[][] groups, int total) {
        this.groups = groups;
        this.total = total;
    }

    /** Every element of so many rows. */
    public static Sample all(long rows) {
        int total = Math.toIntExact(rows);
        return new Sample(new int[][] {IntStream.range(0, total).toArray()}, total);
    }

    /**
     * A sample of rows.
     *
     * @param total  rows of the output
     * @param edges  rows that must be among the chosen, beside the first and the last
     * @param least  rows to choose at least; all, where there are no more
     * @param groups number of runs of columns, at least 1
     */
    public static Sample of(long total, SortedSet<Integer> edges, int least, int groups, long seed) {
        int rows = Math.toIntExact(total);
        SortedSet<Integer> chosen = new TreeSet<>(edges);
        chosen.add(0);
        chosen.add(rows - 1);
        Random random = new Random(seed);
        while (chosen.size() < Math.min(least, rows)) {
            chosen.add(random.nextInt(rows));
        }
        List<Integer> dealt = Arrays.asList(chosen.toArray(Integer[]::new));
        Collections.shuffle(dealt, random);
        int[][] rowsOfGroups = new int[groups][];
        for (int g = 0; g < groups; g++) {
            SortedSet<Integer> own = new TreeSet<>(Arrays.asList(0, rows - 1));
            for (int i = g; i < dealt.size(); i += groups) {
                own.add(dealt.get(i));
            }
            rowsOfGroups[g] = own.stream().mapToInt(Integer::intValue).toArray();
        }
        return new Sample(rowsOfGroups, rows);
    }

    /** The group that is computed in a column. */
    int group(long column, long columns) {
        return (int) (column * groups.length / columns);
    }

    /** Chosen rows of a group, ascending. */
    int[] rows(int group) {
        return groups[group];
    }

    /** Chosen rows of a group from {@code from} to {@code to} (exclusive). */
    int[] rows(int group, int from, int to) {
        int[] rows = groups[group];
        return Arrays.copyOfRange(rows, lowerBound(rows, from), lowerBound(rows, to));
    }

    private static int lowerBound(int[] rows, int row) {
        int at = Arrays.binarySearch(rows, row);
        return at >= 0 ? at : -at - 1;
    }

    /** Columns from {@code from} to {@code to} (exclusive). */
    public record Run(int from, int to) {}

    /** The columns that are computed in a row. */
    public List<Run> runs(int row, int columns) {
        List<Run> runs = new ArrayList<>();
        for (int g = 0; g < groups.length; g++) {
            if (Arrays.binarySearch(groups[g], row) >= 0) {
                runs.add(new Run(start(g, columns), start(g + 1, columns)));
            }
        }
        return runs;
    }

    /** First column of a group: the least one that {@link #group} gives to it. */
    private int start(int group, int columns) {
        return (int) Math.ceilDiv((long) group * columns, groups.length);
    }

    /** Chosen rows, ascending. */
    int[] rows() {
        return groups.length == 1
                ? groups[0]
                : Arrays.stream(groups)
                        .flatMapToInt(Arrays::stream)
                        .distinct()
                        .sorted()
                        .toArray();
    }

    /** Number of chosen rows. */
    public int size() {
        return rows().length;
    }

    /** Rows in all. */
    public int total() {
        return total;
    }

    /** Number of runs of columns. */
    public int groups() {
        return groups.length;
    }

    /** Whether every element is computed. */
    public boolean isComplete() {
        return groups.length == 1 && groups[0].length == total;
    }
}
