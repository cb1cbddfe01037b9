package layerwise.report.render;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import layerwise.report.profile.MannWhitney;
import layerwise.report.profile.MergedTable;
import layerwise.report.profile.Samples;

/** Traces side by side: every row of the first against the same row of the others. */
public final class CompareReport {
    /** Differences that chance makes this rarely are marked. */
    static final double SIGNIFICANT = 0.01;

    private CompareReport() {}

    /**
     * The comparison of one problem.
     *
     * @param table one column for each trace, the base first
     */
    public static void append(String title, MergedTable table, StringBuilder text) {
        text.append("\n\"").append(title).append("\"\n");
        int others = table.titles().size() - 1;
        List<String> names = new ArrayList<>(List.of("# row", "A"));
        List<String> units = new ArrayList<>(List.of("#", "(us)"));
        for (int other = 1; other <= others; other++) {
            names.addAll(List.of(String.valueOf((char) ('A' + other)), "change", "change", "p", ""));
            units.addAll(List.of("(us)", "(us)", "(%)", "", ""));
        }
        List<List<String>> lines = new ArrayList<>(List.of(names, units));
        for (TableLine line : TableLine.of(table)) {
            lines.add(cells(line, others));
        }
        ColumnText.append(lines, names.size(), text);
    }

    private static List<String> cells(TableLine line, int others) {
        Optional<TableLine.Value> base = line.values().getFirst();
        List<String> cells = new ArrayList<>();
        cells.add("|--".repeat(line.depth()) + line.name());
        cells.add(base.map(value -> Numbers.micros(value.nanos())).orElse(""));
        for (int other = 1; other <= others; other++) {
            Optional<TableLine.Value> value = line.values().get(other);
            cells.add(value.map(v -> Numbers.micros(v.nanos())).orElse(""));
            if (base.isPresent() && value.isPresent()) {
                change(base.get(), value.get(), cells);
            } else {
                cells.addAll(List.of("", value.isPresent() ? "new" : base.isPresent() ? "gone" : "", "", ""));
            }
        }
        return cells;
    }

    private static void change(TableLine.Value base, TableLine.Value value, List<String> cells) {
        double nanos = value.nanos() - base.nanos();
        double p = MannWhitney.pValue(base.samples(), value.samples());
        cells.add(signed(Numbers.micros(nanos)));
        cells.add(base.nanos() == 0 ? "" : signed(Numbers.percent(nanos / base.nanos())));
        String probability = p < 0.0005 ? "<0.001" : Numbers.fixed(p, 3);
        cells.add(enough(base.samples(), value.samples()) ? probability : "few");
        cells.add(enough(base.samples(), value.samples()) && p < SIGNIFICANT ? "*" : "");
    }

    /** The normal approximation needs some samples on both sides. */
    private static boolean enough(Samples a, Samples b) {
        return a.count() >= 8 && b.count() >= 8;
    }

    private static String signed(String number) {
        return number.startsWith("-") || number.isEmpty() ? number : "+" + number;
    }
}
