package layerwise.bench.config;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

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

    /** Adds {@code --help}, which asks for the usage text instead of the command. */
    public static void addHelp(CommandSpec spec) {
        spec.addOption(OptionSpec.builder("-h", "--help")
                .usageHelp(true)
                .description("print this text")
                .build());
    }
}
