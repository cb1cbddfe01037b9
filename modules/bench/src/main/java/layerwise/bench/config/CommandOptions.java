package layerwise.bench.config;

import java.io.PrintStream;
import java.util.List;
import java.util.Optional;
import layerwise.tensor.ConfigException;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** What the options of commands have in common. */
public final class CommandOptions {
    private CommandOptions() {}

    /** Adds an option with one value, read as text. */
    public static void add(CommandSpec spec, String name, String label, boolean required, String description) {
        spec.addOption(OptionSpec.builder(name)
                .arity("1")
                .type(String.class)
                .paramLabel(label)
                .required(required)
                .description(description)
                .build());
    }

    /**
     * Reads a command's arguments; empty if only the usage text was asked for, which is printed then.
     *
     * @throws ConfigException if they are not as the options say
     */
    public static Optional<ParseResult> parse(CommandSpec spec, List<String> arguments, PrintStream out) {
        CommandLine commandLine =
                new CommandLine(spec).setAbbreviatedOptionsAllowed(true).setExpandAtFiles(false);
        ParseResult result;
        try {
            result = commandLine.parseArgs(arguments.toArray(String[]::new));
        } catch (ParameterException e) {
            throw new ConfigException(
                    "command line: " + e.getMessage().lines().findFirst().orElse(""), e);
        }
        if (result.isUsageHelpRequested()) {
            commandLine.usage(out);
            return Optional.empty();
        }
        return Optional.of(result);
    }

    /** Adds {@code --help}, which asks for the usage text instead of the command. */
    public static void addHelp(CommandSpec spec) {
        spec.addOption(OptionSpec.builder("-h", "--help")
                .usageHelp(true)
                .description("print this text")
                .build());
    }
}
