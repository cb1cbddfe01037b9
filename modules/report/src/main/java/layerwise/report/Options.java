package layerwise.report;

import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/**
 * Declares a command's options and reads what was given.
 *
 * <p>Options are declared by calls rather than annotations, so the module need not be opened to reflection.
 */
final class Options {
    private final CommandSpec spec;

    Options(CommandSpec spec) {
        this.spec = spec.mixinStandardHelpOptions(true);
        spec.usageMessage().sortOptions(false);
    }

    /** Declares an option with one value. */
    Options value(Class<?> type, String label, String description, String... names) {
        spec.addOption(OptionSpec.builder(names)
                .type(type)
                .paramLabel(label)
                .description(description)
                .build());
        return this;
    }

    /** Declares an option without a value; {@code --no-…} is accepted as well. */
    Options flag(String name, String description) {
        spec.addOption(OptionSpec.builder(name)
                .type(boolean.class)
                .negatable(true)
                .defaultValue("false")
                .fallbackValue("true")
                .description(description)
                .build());
        return this;
    }

    /** Declares an option that may be given several times. */
    Options values(Class<?> type, String label, String description, String... names) {
        spec.addOption(OptionSpec.builder(names)
                .type(List.class)
                .auxiliaryTypes(type)
                .paramLabel(label)
                .description(description)
                .build());
        return this;
    }

    /** Declares positional arguments; there must be as many as the arity says. */
    Options arguments(Class<?> type, String arity, String label, String description) {
        spec.addPositional(PositionalParamSpec.builder()
                .type(List.class)
                .auxiliaryTypes(type)
                .arity(arity)
                .required(true)
                .paramLabel(label)
                .description(description)
                .build());
        return this;
    }

    private ParseResult given() {
        return spec.commandLine().getParseResult();
    }

    <T> Optional<T> get(String name) {
        return Optional.ofNullable(given().matchedOptionValue(name, (T) null));
    }

    <T> T get(String name, T otherwise) {
        return given().matchedOptionValue(name, otherwise);
    }

    /** Whether the command line has it. */
    boolean isGiven(String name) {
        return given().hasMatchedOption(name);
    }

    boolean isSet(String name) {
        return get(name, false);
    }

    <T> List<T> list(String name) {
        return given().matchedOptionValue(name, List.of());
    }

    <T> List<T> arguments() {
        return given().matchedPositionalValue(0, List.of());
    }
}
