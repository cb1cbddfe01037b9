package layerwise.report;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import layerwise.report.profile.ProblemProfile;
import layerwise.report.profile.Profile;
import layerwise.report.profile.ProfileOptions;
import layerwise.report.profile.Profiler;
import layerwise.report.profile.ShortNames;
import layerwise.report.render.ExplainText;
import layerwise.trace.TraceException;
import layerwise.trace.TraceFile;
import picocli.CommandLine.Model.CommandSpec;

/** Says in plain words where a trace's time is lost against the limits of its operators. */
final class ExplainCommand implements Callable<Integer> {
    private static final int ROWS = 5;

    private final CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
    private final Options options = new Options(spec)
            .value(Integer.class, "N", "Operators to name in each problem (default: 5).", "--rows")
            .value(Integer.class, "N", "Runs of each problem to drop (default: as recorded).", "--warmup-times")
            .arguments(Path.class, "1", "TRACE", "A trace (.nsys-rep or .sqlite), or the report beside it.");

    static CommandSpec spec() {
        ExplainCommand command = new ExplainCommand();
        command.spec
                .usageMessage()
                .description("The operators that lose most time against their limits, and what binds each.");
        return command.spec;
    }

    @Override
    public Integer call() {
        int rows = options.get("--rows", ROWS);
        if (rows < 1) {
            throw new TraceException("--rows " + rows + ": expected at least 1");
        }
        ProfileOptions profileOptions = new ProfileOptions(
                options.<Integer>get("--warmup-times").map(OptionalInt::of).orElse(OptionalInt.empty()),
                Optional.empty(),
                false);
        Path database = NsysExport.database(
                TraceLocation.of(trace((Path) options.arguments().getFirst())));
        Profile profile = new Profiler(TraceFile.open(database), profileOptions, new ShortNames()).evaluate();
        profile.requireTimes(database);
        StringBuilder text = new StringBuilder("# ").append(database).append('\n');
        profile.gpus().forEach(gpu -> text.append("# ").append(gpu).append('\n'));
        profile.estimate()
                .ifPresent(basis -> text.append("# ESTIMATE, nothing was measured: ")
                        .append(basis)
                        .append('\n'));
        for (ProblemProfile problem : profile.problems()) {
            text.append('\n').append(ExplainText.render(problem, rows));
        }
        Main.print(text.toString());
        return 0;
    }

    /** The trace that a report was made of lies beside it. */
    private static Path trace(Path file) {
        String name = String.valueOf(file.getFileName());
        int dot = name.lastIndexOf('.');
        return dot > 0 && name.substring(dot).matches("\\.(txt|html|json|csv)")
                ? file.resolveSibling(name.substring(0, dot) + ".sqlite")
                : file;
    }
}
