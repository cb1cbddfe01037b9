package layerwise.bench.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import layerwise.tensor.ConfigException;

/** Files of text that appear complete or not at all. */
public final class ResultFile {
    private ResultFile() {}

    /**
     * Writes a file, and the folder where there is none; an older file of that name stays until the new one is complete.
     *
     * @throws ConfigException if it cannot be written
     */
    public static void write(Path path, String text) {
        Path absolute = path.toAbsolutePath();
        Path unfinished = absolute.resolveSibling(
                "." + absolute.getFileName() + "." + ProcessHandle.current().pid() + ".unfinished");
        try {
            Files.createDirectories(absolute.getParent());
            Files.writeString(unfinished, text);
            Files.move(unfinished, absolute, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new ConfigException("%s: cannot be written: %s".formatted(path, e), e);
        }
    }
}
