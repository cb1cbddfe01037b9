package layerwise.bench.config;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import layerwise.tensor.ConfigException;

/** What the command line and the YAML file say together, read by type; the command line wins. */
final class Settings {
    private static final String NULL = "null";

    private final String configFile;
    private final Map<RunOption, Setting> given;

    /**
     * @param configFile the file, as messages name it
     * @param file settings of the file
     * @param commandLine settings that override it
     */
    Settings(String configFile, Map<RunOption, Setting> file, Map<RunOption, Setting> commandLine) {
        this.configFile = configFile;
        this.given = new EnumMap<>(RunOption.class);
        given.putAll(file);
        given.putAll(commandLine);
    }

    String configFile() {
        return configFile;
    }

    Optional<Setting> find(RunOption option) {
        return Optional.ofNullable(given.get(option));
    }

    /** @throws ConfigException if neither source gives the option */
    Setting require(RunOption option) {
        return find(option)
                .orElseThrow(() -> new ConfigException(configFile + ": " + option.key()
                        + " is missing: give it there or as " + option.flag() + " (" + option.description() + ")"));
    }

    OptionalInt integer(RunOption option, int least) {
        Optional<Setting> setting = find(option);
        return setting.isPresent() ? OptionalInt.of(setting.get().integer(least)) : OptionalInt.empty();
    }

    boolean flag(RunOption option, boolean byDefault) {
        return find(option).map(setting -> Boolean.parseBoolean(setting.word())).orElse(byDefault);
    }

    <E> E choice(RunOption option, List<E> choices, E byDefault) {
        return find(option).map(setting -> setting.choice(choices)).orElse(byDefault);
    }

    /** A list of ratios; no setting at all, like YAML's null, is a list that holds "no ratio". */
    List<OptionalDouble> ratios(RunOption option) {
        return find(option)
                .map(setting -> setting.words().stream()
                        .map(word ->
                                word.equals(NULL) ? OptionalDouble.empty() : OptionalDouble.of(setting.ratio(word)))
                        .toList())
                .orElse(List.of(OptionalDouble.empty()));
    }
}
