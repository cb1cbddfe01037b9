package layerwise.report;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import layerwise.trace.TraceException;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/**
 * The report program.
 *
 * <p>Exit status: 0 done, 1 a failure of ours with its stack trace, 2 input that cannot be used with one line.
 */
public final class Main {
    private static final int USER_ERROR = 2;

    private Main() {}

    public static void main(String[] args) {
        System.exit(run(args));
    }

    /** Runs one command line and returns its exit status. */
    static int run(String... args) {
        if (args.length == 0) {
            return fail(
                    "expected a command: report, explain, compare, plot, align or correlate; --help lists their options");
        }
        CommandLine commands = new CommandLine(program());
        commands.setParameterExceptionHandler((e, arguments) -> fail(e.getMessage() + suggestion(e)));
        commands.setExecutionExceptionHandler((e, command, parsed) -> {
            if (e instanceof TraceException) {
                return fail(e.getMessage());
            }
            throw e;
        });
        return commands.execute(args);
    }

    private static CommandSpec program() {
        CommandSpec program = CommandSpec.create().name("layerwise").mixinStandardHelpOptions(true);
        program.usageMessage().description("Reports from traces of layer-wise benchmarks.");
        program.addSubcommand("report", ReportCommand.spec());
        program.addSubcommand("compare", CompareCommand.spec());
        program.addSubcommand("plot", PlotCommand.spec());
        program.addSubcommand("explain", ExplainCommand.spec());
        program.addSubcommand("align", AlignCommand.spec());
        program.addSubcommand("correlate", CorrelateCommand.spec());
        return program;
    }

    /** Prints a result, as UTF-8 whatever the locale. */
    static void print(String text) {
        PrintStream result = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        result.print(text);
        result.flush();
    }

    private static String suggestion(CommandLine.ParameterException e) {
        return e instanceof CommandLine.UnmatchedArgumentException unmatched
                        && !unmatched.getSuggestions().isEmpty()
                ? "; did you mean " + unmatched.getSuggestions().getFirst() + "?"
                : "";
    }

    private static int fail(String message) {
        System.err.println("layerwise: " + message.lines().findFirst().orElse(""));
        return USER_ERROR;
    }
}
