package layerwise.bench.config;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import layerwise.tensor.ConfigException;
import layerwise.tensor.NearestNames;

/** Finds the configuration file that a command line names. */
final class ConfigFile {
    private static final String SHIPPED = "configs";

    private ConfigFile() {}

    /**
     * The file {@code name} itself, else, for a relative name, the one below the installation's {@code configs/} or
     * below the installation.
     *
     * @param installation folder that holds {@code configs/}, where it is known
     * @throws ConfigException if none of them is a file; the message names the nearest shipped one
     */
    static Path locate(String name, Optional<Path> installation) {
        Path asGiven = path(name);
        Stream<Path> shipped = asGiven.isAbsolute()
                ? Stream.empty()
                : installation.stream()
                        .flatMap(home -> Stream.of(home.resolve(SHIPPED).resolve(asGiven), home.resolve(asGiven)));
        return Stream.concat(Stream.of(asGiven), shipped)
                .filter(Files::isRegularFile)
                .findFirst()
                .orElseThrow(() ->
                        missing(name, installation.map(ConfigFile::shippedFiles).orElse(List.of())));
    }

    private static Path path(String name) {
        try {
            return Path.of(name);
        } catch (InvalidPathException e) {
            throw new ConfigException(OneLine.quote(name) + " is not the name of a configuration file", e);
        }
    }

    private static ConfigException missing(String name, List<String> shipped) {
        String message = OneLine.quote(name) + ": no such configuration file";
        return new ConfigException(message + NearestNames.hint(name, shipped));
    }

    private static List<String> shippedFiles(Path home) {
        Path folder = home.resolve(SHIPPED);
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(file -> file.endsWith(".yaml"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
