package layerwise.op;

import java.util.ArrayList;
import java.util.List;

/**
 * Which elements of a whole stack of matrices {@code [E,N,K]} a buffer holds: some of the matrices, runs of their rows, some
 * of their columns. What a rank has of a weight that all ranks share.
 *
 * @param matrices matrices of the stack
 * @param rows     runs of rows, in order, each a share of N
 * @param columns  a share of K
 */
public record Region(Share matrices, List<Share> rows, Share columns) {
    public Region {
        rows = List.copyOf(rows);
        if (rows.isEmpty() || rows.stream().mapToLong(Share::whole).distinct().count() != 1) {
            throw new IllegalArgumentException("runs of rows of different matrices: " + rows);
        }
    }

    /** Elements of the region. */
    public long elements() {
        return matrices.size() * rowsOfOne() * columns.size();
    }

    /** Whether nothing is left out. */
    public boolean isWhole() {
        return matrices.isWhole() && columns.isWhole() && hasWholeRows();
    }

    private boolean hasWholeRows() {
        return rows.size() == 1 && rows.getFirst().isWhole();
    }

    private long rowsOfOne() {
        return rows.stream().mapToLong(Share::size).sum();
    }

    /**
     * Rows of elements that lie side by side in the region, and at equal steps in the whole.
     *
     * @param target  element of the region where they start
     * @param source  element of the whole where they start
     * @param rows    their number
     * @param columns elements of a row
     * @param step    elements of the whole from one row to the next
     */
    public record Run(long target, long source, long rows, long columns, long step) {}

    /** Runs that together are the region, as few as possible. */
    public List<Run> runs() {
        if (hasWholeRows()) {
            long rowsOfAll = matrices.size() * rowsOfOne();
            return List.of(run(0, matrices.from() * rowsOfOne(), rowsOfAll));
        }
        List<Run> runs = new ArrayList<>();
        long target = 0;
        for (long matrix = matrices.from(); matrix < matrices.to(); matrix++) {
            for (Share share : rows) {
                runs.add(run(target, matrix * share.whole() + share.from(), share.size()));
                target += share.size() * columns.size();
            }
        }
        return List.copyOf(runs);
    }

    private Run run(long target, long row, long count) {
        long source = row * columns.whole() + columns.from();
        return columns.isWhole()
                ? new Run(target, source, 1, count * columns.size(), count * columns.size())
                : new Run(target, source, count, columns.size(), columns.whole());
    }

    /** The element of the whole that is element {@code i} of the region. */
    public long source(long i) {
        long row = i / columns.size();
        long matrix = matrices.from() + row / rowsOfOne();
        long rest = row % rowsOfOne();
        for (Share run : rows) {
            if (rest < run.size()) {
                return (matrix * run.whole() + run.from() + rest) * columns.whole()
                        + columns.from()
                        + i % columns.size();
            }
            rest -= run.size();
        }
        throw new IndexOutOfBoundsException("element %d of %s".formatted(i, this));
    }

    /** The region in bytes of packed elements, {@code each} elements a byte. */
    public Region packed(long each) {
        return new Region(matrices, rows, columns.blocks(each));
    }
}
