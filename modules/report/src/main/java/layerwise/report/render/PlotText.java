package layerwise.report.render;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import layerwise.report.plot.BreakEven;
import layerwise.report.plot.Plot;
import layerwise.report.plot.PlotFile;
import layerwise.report.plot.PlotRun;

/** A plot in words: what was measured, every point, and where two runs break even. */
public final class PlotText {
    private PlotText() {}

    /** The whole text, for a terminal. */
    public static String render(Plot plot, PlotTable table) {
        StringBuilder text = new StringBuilder("# layerwise plot: ").append(title(plot));
        if (!plot.shared().isEmpty()) {
            text.append("; ").append(plot.shared());
        }
        text.append('\n');
        for (PlotRun run : plot.runs()) {
            for (PlotFile file : run.files()) {
                text.append("# ")
                        .append(run.name())
                        .append(": ")
                        .append(file.file())
                        .append('\n');
            }
        }
        if (!gpus(plot).isEmpty()) {
            text.append("# ").append(gpus(plot)).append('\n');
        }
        notes(plot).forEach(line -> text.append("# ").append(line).append('\n'));
        table.append(text.append('\n'));
        List<String> sentences = sentences(plot);
        if (!sentences.isEmpty()) {
            text.append('\n');
            sentences.forEach(sentence -> text.append(sentence).append('\n'));
        }
        return text.toString();
    }

    /** What is plotted. */
    public static String title(Plot plot) {
        return plot.subject().name() + " over " + plot.over();
    }

    /** The GPUs; empty where no file names one. */
    public static String gpus(Plot plot) {
        return files(plot).flatMap(file -> file.gpus().stream()).distinct().collect(Collectors.joining(", "));
    }

    /** What a reader must know of the times. */
    public static List<String> notes(Plot plot) {
        Stream<String> caveats = plot.runs().stream()
                .flatMap(run -> run.files().stream()
                        .flatMap(file -> file.caveat().stream())
                        .map(caveat -> plot.runs().size() == 1 ? caveat : run.name() + ": " + caveat));
        return Stream.concat(estimates(plot).stream(), caveats.distinct()).toList();
    }

    /** What times were estimated from, by run where others were measured; nothing where all were. */
    private static List<String> estimates(Plot plot) {
        boolean all = files(plot).allMatch(file -> file.estimate().isPresent());
        return plot.runs().stream()
                .flatMap(run -> run.files().stream()
                        .flatMap(file -> file.estimate().stream())
                        .map(basis -> all
                                ? "ESTIMATE, nothing was measured: " + basis
                                : "ESTIMATE is " + run.name() + ", nothing of it was measured: " + basis))
                .distinct()
                .toList();
    }

    private static Stream<PlotFile> files(Plot plot) {
        return plot.runs().stream().flatMap(run -> run.files().stream());
    }

    /** For two runs where they break even, or which is faster; one sentence for each setting. */
    public static List<String> sentences(Plot plot) {
        if (plot.runs().size() != 2) {
            return List.of();
        }
        if (plot.breakEvens().isEmpty()) {
            return List.of("no break-even known: %s and %s have no curve in common"
                    .formatted(
                            plot.runs().getFirst().name(), plot.runs().getLast().name()));
        }
        return plot.breakEvens().stream().map(PlotText::sentence).toList();
    }

    private static String sentence(BreakEven breakEven) {
        boolean alike = breakEven.first().held().equals(breakEven.second().held());
        String setting = breakEven.first().setting();
        String where = alike && !setting.isEmpty() ? setting + ": " : "";
        String first = alike ? breakEven.first().runName() : breakEven.first().name();
        String second =
                alike ? breakEven.second().runName() : breakEven.second().name();
        String faster = breakEven.firstLead() > 0 ? first : second;
        String slower = breakEven.firstLead() > 0 ? second : first;
        if (breakEven.crossings().isEmpty()) {
            return where + "no break-even" + never(breakEven, first, second, faster);
        }
        String crossings = breakEven.crossings().stream()
                .map(crossing ->
                        "%s (%s us)".formatted(Numbers.significant(crossing.at()), Numbers.micros(crossing.nanos())))
                .collect(Collectors.joining(", "));
        String after = breakEven.crossings().size() == 1
                ? "%s is faster below, %s above".formatted(faster, slower)
                : "%s is faster below the first, and each of them changes that".formatted(faster);
        return where
                + "break-even of %s and %s at %s %s: %s".formatted(first, second, breakEven.over(), crossings, after);
    }

    private static String never(BreakEven breakEven, String first, String second, String faster) {
        List<Integer> common = breakEven.common();
        if (common.isEmpty()) {
            return " known: %s and %s have no %s in common".formatted(first, second, breakEven.over());
        }
        String range = common.size() == 1
                ? "at %s %d, the only one in common".formatted(breakEven.over(), common.getFirst())
                : "throughout, %s %d to %d".formatted(breakEven.over(), common.getFirst(), common.getLast());
        if (breakEven.firstLead() == 0) {
            return ": %s and %s take the same time %s".formatted(first, second, range);
        }
        return ": %s is faster%s %s".formatted(faster, breakEven.hasTies() ? " or as fast" : "", range);
    }
}
