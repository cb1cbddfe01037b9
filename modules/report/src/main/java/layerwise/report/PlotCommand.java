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
import layerwise.report.plot.OperatorFile;
import layerwise.report.plot.Plot;
import layerwise.report.plot.PlotFile;
import layerwise.report.plot.Subject;
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

/** Draws the time of a module of traces, or of an operator timed alone, over one dimension of the problems. */
final class PlotCommand implements Callable<Integer> {
    private static final String JSON = ".json";

    private final CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
    private final Options options = new Options(spec)
            .value(
                    String.class,
                    "NAME",
                    "Module of the table of modules of traces (default: all layers together).",
                    "--module")
            .value(String.class, "NAME", "Instead: operator in files of the command operators.", "--operator")
            .value(String.class, "DIMENSION", "batch_size, seq_len_q or seq_len_kv_cache.", "--over")
            .value(Path.class, "PREFIX", "Of the files to write: .html, .svg, .csv (default: plot).", "--output-file")
            .value(Integer.class, "N", "Runs of each problem to drop (default: as recorded).", "--warmup-times")
            .flag("--lenient", "Group by name where the runs of a problem differ.")
            .arguments(
                    Path.class,
                    "1..*",
                    "FILE",
                    "Traces (.nsys-rep or .sqlite), with --operator operators_np*_rank*.json; of two runs it says where"
                            + " they break even.");

    static CommandSpec spec() {
        PlotCommand command = new PlotCommand();
        command.spec
                .usageMessage()
                .description("Time of a module or an operator over batch, query or cache length, and its limit.");
        return command.spec;
    }

    @Override
    public Integer call() {
        Dimension over = Dimension.named(options.<String>get("--over")
                .orElseThrow(() -> new TraceException(
                        "plot: --over is missing; expected batch_size, seq_len_q or seq_len_kv_cache")));
        Optional<String> operator = options.get("--operator");
        Plot plot = operator.isPresent()
                ? Plot.of(Subject.operator(operator.get()), over, operators(operator.get()))
                : modules(options.get("--module", ModuleSum.WHOLE), over);
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

    private Plot modules(String module, Dimension over) {
        ProfileOptions profileOptions = new ProfileOptions(
                options.<Integer>get("--warmup-times").map(OptionalInt::of).orElse(OptionalInt.empty()),
                Optional.empty(),
                options.isSet("--lenient"));
        List<Path> files = options.arguments();
        List<PlotFile> traces = new ArrayList<>();
        for (Path file : files) {
            if (file.toString().endsWith(JSON)) {
                throw new TraceException(
                        file + ": expected a .nsys-rep or .sqlite file; of a file of operators name one by --operator");
            }
            Path database = NsysExport.database(TraceLocation.of(file));
            Profile profile = new Profiler(TraceFile.open(database), profileOptions, new ShortNames()).evaluate();
            profile.requireTimes(database);
            traces.add(PlotFile.of(database, profile, module));
        }
        return Plot.of(Subject.module(module), over, traces);
    }

    private List<PlotFile> operators(String operator) {
        for (String option : List.of("--module", "--warmup-times", "--lenient")) {
            if (options.isGiven(option)) {
                throw new TraceException(option + ": is for traces; expected it without --operator " + operator);
            }
        }
        List<Path> files = options.arguments();
        return files.stream()
                .map(PlotCommand::requireJson)
                .map(file -> OperatorFile.read(file).points(operator))
                .toList();
    }

    private static Path requireJson(Path file) {
        String name = String.valueOf(file.getFileName());
        if (name.endsWith(JSON)) {
            return file;
        }
        // Its CSV has no single replays; whoever names a trace wants one of its modules.
        String hint = name.endsWith(".csv")
                ? "; did you mean " + file.resolveSibling(name.substring(0, name.length() - 4) + JSON) + "?"
                : "; modules of traces are named by --module";
        throw new TraceException(file + ": expected the .json file that operators left" + hint);
    }

    private static Path suffixed(Path prefix, String suffix) {
        return prefix.resolveSibling(prefix.getFileName() + suffix);
    }
}
