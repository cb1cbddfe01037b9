package layerwise.bench.operators;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import layerwise.tensor.ConfigException;
import layerwise.tensor.NearestNames;

/**
 * Which operators are timed.
 *
 * @param globs names, {@code *} for any letters; one of them must fit
 */
record OperatorChoice(List<String> globs) {
    /** From the option's value; every operator without it. */
    static OperatorChoice of(Optional<String> list) {
        return new OperatorChoice(
                list.map(value -> List.of(value.split(",", -1))).orElse(List.of("*")));
    }

    boolean holds(String name) {
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
    void require(Collection<String> names) {
        for (String glob : globs) {
            if (names.stream().noneMatch(name -> fits(glob, name))) {
                throw new ConfigException(
                        "command line: --operators: '%s' is no operator of these layers, expected some of %s%s"
                                .formatted(glob, String.join(", ", names), NearestNames.hint(glob, names)));
            }
        }
    }
}
