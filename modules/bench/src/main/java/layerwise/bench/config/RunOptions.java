package layerwise.bench.config;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import layerwise.tensor.ConfigException;
import layerwise.tensor.NearestNames;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The command line of a run: {@code CONFIG} and options, in any order, long options by any unambiguous prefix.
 *
 * <p>Built from {@link RunOption} rather than from annotated fields, so that the parser needs no reflective access.
 */
public final class RunOptions {
    /** System property that holds the installation folder, the one with {@code configs/}. */
    public static final String HOME_PROPERTY = "layerwise.home";

    private static final String CONFIG = "CONFIG";

    private RunOptions() {}

    /** An option that a command has beside those of a run, with one value. */
    public record Own(String name, String label, String description) {}

    /**
     * What a command line with such options says.
     *
     * @param own values of those that were given, by name
     */
    public record Parsed(RunConfig config, Map<String, String> own) {}

    /**
     * Parses a command line and merges it with the file it names; {@code --help} is printed to {@code help} instead.
     *
     * @param command name of the program in the usage text
     * @return the configuration, or empty when help was asked for
     * @throws ConfigException if the command line or the file cannot be used
     */
    public static Optional<RunConfig> parse(String command, List<String> arguments, PrintStream help) {
        return parse(command, List.of(), arguments, help).map(Parsed::config);
    }

    /** The same for a command with options of its own. */
    public static Optional<Parsed> parse(String command, List<Own> own, List<String> arguments, PrintStream help) {
        CommandLine commandLine = commandLine(command, own);
        ParseResult result;
        try {
            result = commandLine.parseArgs(arguments.toArray(String[]::new));
        } catch (UnmatchedArgumentException e) {
            throw unmatched(e, own);
        } catch (ParameterException e) {
            throw new ConfigException("command line: " + OneLine.of(e.getMessage()), e);
        }
        if (result.isUsageHelpRequested()) {
            commandLine.usage(help);
            return Optional.empty();
        }
        Optional<Path> home =
                Optional.ofNullable(System.getProperty(HOME_PROPERTY)).map(Path::of);
        String name = result.matchedPositionalValue(0, "");
        Map<RunOption, Setting> file = YamlFile.read(name, ConfigFile.locate(name, home));
        Map<String, String> values = new HashMap<>();
        for (Own option : own) {
            Optional.ofNullable(result.<String>matchedOptionValue(option.name(), null))
                    .ifPresent(value -> values.put(option.name(), value));
        }
        return Optional.of(new Parsed(Resolution.of(new Settings(name, file, settings(result))), Map.copyOf(values)));
    }

    private static CommandLine commandLine(String command, List<Own> own) {
        CommandSpec spec = CommandSpec.create().name(command);
        spec.addPositional(PositionalParamSpec.builder()
                .index("0")
                .arity("1")
                .required(true)
                .type(String.class)
                .paramLabel(CONFIG)
                .description("YAML file; options override it; shipped ones are found by their bare name")
                .build());
        for (RunOption option : RunOption.values()) {
            options(option).forEach(spec::addOption);
        }
        own.forEach(option -> CommandOptions.add(spec, option.name(), option.label(), false, option.description()));
        CommandOptions.addHelp(spec);
        return new CommandLine(spec)
                .setAbbreviatedOptionsAllowed(true)
                .setExpandAtFiles(false)
                .setOverwrittenOptionsAllowed(true);
    }

    private static List<OptionSpec> options(RunOption option) {
        if (option.kind() == RunOption.Kind.FLAG) {
            return List.of(
                    OptionSpec.builder(option.flag())
                            .description(option.description())
                            .build(),
                    OptionSpec.builder(option.negatedFlag())
                            .description("the opposite")
                            .build());
        }
        return List.of(OptionSpec.builder(option.flag())
                .arity("1")
                .type(String.class)
                .paramLabel("<" + option.key() + ">")
                .description(option.description())
                .build());
    }

    private static Map<RunOption, Setting> settings(ParseResult result) {
        Map<RunOption, Setting> settings = new EnumMap<>(RunOption.class);
        for (RunOption option : RunOption.values()) {
            words(option, result).ifPresent(words -> settings.put(option, new Setting(option.flag(), words)));
        }
        return settings;
    }

    private static Optional<List<String>> words(RunOption option, ParseResult result) {
        if (option.kind() == RunOption.Kind.FLAG) {
            boolean on = result.hasMatchedOption(option.flag());
            boolean off = result.hasMatchedOption(option.negatedFlag());
            if (on && off) {
                throw new ConfigException(
                        "command line: " + option.flag() + " and " + option.negatedFlag() + " exclude each other");
            }
            return on || off ? Optional.of(List.of(Boolean.toString(on))) : Optional.empty();
        }
        String value = result.matchedOptionValue(option.flag(), null);
        if (value == null) {
            return Optional.empty();
        }
        return Optional.of(option.kind().isList() ? List.of(value.split(",", -1)) : List.of(value));
    }

    private static ConfigException unmatched(UnmatchedArgumentException e, List<Own> own) {
        String first = e.getUnmatched().getFirst();
        if (!first.startsWith("-")) {
            return new ConfigException(
                    "command line: expected one " + CONFIG + ", found also " + OneLine.quote(first), e);
        }
        String name = first.split("=", 2)[0];
        return new ConfigException(
                "command line: " + OneLine.of(name) + " is not an option" + NearestNames.hint(name, flags(own)), e);
    }

    private static List<String> flags(List<Own> own) {
        List<String> flags = new ArrayList<>(own.stream().map(Own::name).toList());
        for (RunOption option : RunOption.values()) {
            flags.add(option.flag());
            if (option.kind() == RunOption.Kind.FLAG) {
                flags.add(option.negatedFlag());
            }
        }
        return flags;
    }
}
