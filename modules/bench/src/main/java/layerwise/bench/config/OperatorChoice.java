package layerwise.bench.config;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import layerwise.tensor.ConfigException;
import layerwise.tensor.NearestNames;

/**
 * Which operators of a layer a command is for.
 *
 * @param globs names, {@code *} for any letters; one of them must fit
 */
public record OperatorChoice(List<String> globs) {
    /** The option that names them. */
    public static final String OPTION = "--operators";

    public OperatorChoice {
        globs = List.copyOf(globs);
    }

    /** The option, for a command that does something to those operators. */
    public static RunOptions.Own option(String verb) {
        return new RunOptions.Own(
                OPTION,
                "GLOB,…",
                "operators to %s, * for any letters, as in *GroupedLinear; default: all".formatted(verb));
    }

    /** What the command line says; every operator without the option. */
    public static OperatorChoice of(RunOptions.Parsed parsed) {
        return new OperatorChoice(Optional.ofNullable(parsed.own().get(OPTION))
                .map(value -> List.of(value.split(",", -1)))
                .orElse(List.of("*")));
    }

    /** Whether every operator is. */
    public boolean isAll() {
        return globs.contains("*");
    }

    /** Whether operators of a name are. */
    public boolean holds(String name) {
        return globs.stream().anyMatch(glob -> fits(glob, name));
    }

    private static boolean fits(String glob, String name) {
        String pattern = Stream.of(glob.split("\\*", -1)).map(Pattern::quote).collect(Collectors.joining(".*"));
        return Pattern.matches(pattern, name);
    }

    /**
     * Refuses what chooses nothing.
     *
     * @param names of the operators there are
     * @throws ConfigException if a glob fits none of them
     */
    public void require(Collection<String> names) {
        for (String glob : globs) {
            if (names.stream().noneMatch(name -> fits(glob, name))) {
                throw new ConfigException(
                        "command line: --operators: '%s' is no operator of these layers, expected some of %s%s"
                                .formatted(glob, String.join(", ", names), NearestNames.hint(glob, names)));
            }
        }
    }
}
