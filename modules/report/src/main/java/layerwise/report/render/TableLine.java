package layerwise.report.render;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import layerwise.report.profile.Cost;
import layerwise.report.profile.MergedTable;
import layerwise.report.profile.Samples;

/**
 * A line of the tree with its values: those of a row, or the sums of the rows inside one appearance of a module.
 *
 * @param depth  modules around it
 * @param name   full short name
 * @param kind   what its row shows; a module counts as an operation
 * @param row    number of its row in the table; for a module that of the first row inside
 * @param leaf   whether it is a row rather than a module
 * @param values one for each problem; empty where the problem has no such operation
 */
public record TableLine(
        int depth, String name, MergedTable.Kind kind, int row, boolean leaf, List<Optional<Value>> values) {
    /**
     * A value of one problem.
     *
     * @param nanos   mean
     * @param samples the values that it is the mean of
     * @param share   part of the problem's total
     * @param cost    least work behind it; empty where the trace has none
     */
    public record Value(double nanos, Samples samples, double share, Optional<Cost> cost) {}

    /** Adds up values of one problem. */
    private static final class Sum {
        private double nanos;
        private double share;
        private long[] samples = {};
        private Optional<Cost> cost = Optional.empty();

        void add(Value value) {
            if (samples.length == 0) {
                samples = new long[value.samples().count()];
            }
            for (int run = 0; run < samples.length; run++) {
                samples[run] += value.samples().at(run);
            }
            nanos += value.nanos();
            share += value.share();
            value.cost()
                    .ifPresent(
                            c -> cost = Optional.of(cost.orElseGet(Cost::none).plus(c)));
        }

        Optional<Value> value() {
            return samples.length == 0
                    ? Optional.empty()
                    : Optional.of(new Value(nanos, new Samples(samples), share, cost));
        }
    }

    /** The lines of a table in order: every module before its rows, a module again whenever the sequence comes back. */
    public static List<TableLine> of(MergedTable table) {
        List<TableLine> lines = new ArrayList<>();
        List<TreeLines.Line> tree = TreeLines.of(table.rows());
        int row = 0;
        for (int i = 0; i < tree.size(); i++) {
            switch (tree.get(i)) {
                case TreeLines.Leaf leaf -> {
                    lines.add(
                            new TableLine(leaf.depth(), leaf.name(), leaf.row().kind(), row, true, values(leaf)));
                    row++;
                }
                case TreeLines.Module module ->
                    lines.add(new TableLine(
                            module.depth(),
                            module.name(),
                            MergedTable.Kind.OPERATION,
                            row,
                            false,
                            sums(tree, i, table.titles().size())));
            }
        }
        return lines;
    }

    private static List<Optional<Value>> values(TreeLines.Leaf leaf) {
        return leaf.row().cells().stream()
                .map(cell -> cell.map(c -> new Value(
                        c.nanos(), c.samples(), c.share(), c.operation().flatMap(o -> o.cost()))))
                .toList();
    }

    private static List<Optional<Value>> sums(List<TreeLines.Line> tree, int module, int problems) {
        List<Sum> sums = Stream.generate(Sum::new).limit(problems).toList();
        int depth = tree.get(module).depth();
        for (int i = module + 1; i < tree.size() && tree.get(i).depth() > depth; i++) {
            if (tree.get(i) instanceof TreeLines.Leaf leaf) {
                List<Optional<Value>> values = values(leaf);
                for (int p = 0; p < problems; p++) {
                    values.get(p).ifPresent(sums.get(p)::add);
                }
            }
        }
        return sums.stream().map(Sum::value).toList();
    }
}
