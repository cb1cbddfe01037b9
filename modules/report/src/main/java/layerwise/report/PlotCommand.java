package layerwise.report;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import layerwise.report.html.PlotFigure;
import layerwise.report.html.PlotPage;
import layerwise.report.plot.Dimension;
import layerwise.report.plot.Plot;
import layerwise.report.plot.PlotTrace;
import layerwise.report.profile.Profile;
import layerwise.report.profile.ProfileOptions;
import layerwise.report.profile.Profiler;
import layerwise.report.profile.ShortNames;
import layerwise.report.render.PlotTable;
import layerwise.report.render.PlotText;
import layerwise.report.table.ModuleSum;
import layerwise.trace.TraceException;
import layerwise.trace.TraceFile;
import picocli.CommandLine.Model.CommandSpec;

/** Draws the time of a module over one dimension of the problems of several traces. */
final class PlotCommand implements Callable<Integer> {
    private final CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
    private final Options options = new Options(spec)
            .value(String.class, "NAME", "Module of the table of modules (default: all layers together).", "--module")
            .value(String.class, "DIMENSION", "batch_size, seq_len_q or seq_len_kv_cache.", "--over")
            .value(Path.class, "PREFIX", "Of the files to write: .html, .svg, .csv (default: plot).", "--output-file")
            .value(Integer.class, "N", "Runs of each problem to drop (default: as recorded).", "--warmup-times")
            .flag("--lenient", "Group by name where the runs of a problem differ.")
            .arguments(
                    Path.class,
                    "1..*",
                    "TRACE",
                    "Traces (.nsys-rep or .sqlite); of two runs it says where they break even.");

    static CommandSpec spec() {
        PlotCommand command = new PlotCommand();
        command.spec.usageMessage().description("Time of a module over batch, query or cache length, and its limit.");
        return command.spec;
    }

    @Override
    public Integer call() {
        Dimension over = Dimension.named(options.<String>get("--over")
                .orElseThrow(() -> new TraceException(
                        "plot: --over is missing; expected batch_size, seq_len_q or seq_len_kv_cache")));
        String module = options.get("--module", ModuleSum.WHOLE);
        ProfileOptions profileOptions = new ProfileOptions(
                options.<Integer>get("--warmup-times").map(OptionalInt::of).orElse(OptionalInt.empty()),
                Optional.empty(),
                options.isSet("--lenient"));
        List<Path> files = options.arguments();
        List<PlotTrace> traces = new ArrayList<>();
        for (Path file : files) {
            Path database = NsysExport.database(TraceLocation.of(file));
            Profile profile = new Profiler(TraceFile.open(database), profileOptions, new ShortNames()).evaluate();
            profile.requireTimes(database);
            traces.add(PlotTrace.of(database, profile, module));
        }
        Plot plot = Plot.of(module, over, traces);
        PlotTable table = PlotTable.of(plot);
        String figure = PlotFigure.render(plot);
        Path prefix = options.get("--output-file", Path.of("plot"));
        try (OutputFiles output = new OutputFiles()) {
            output.add(suffixed(prefix, ".html"), PlotPage.render(plot, table, figure));
            output.add(suffixed(prefix, ".svg"), figure);
            output.add(suffixed(prefix, ".csv"), table.csv());
            output.commit();
        }
        Main.print(PlotText.render(plot, table));
        return 0;
    }

    private static Path suffixed(Path prefix, String suffix) {
        return prefix.resolveSibling(prefix.getFileName() + suffix);
    }
}
