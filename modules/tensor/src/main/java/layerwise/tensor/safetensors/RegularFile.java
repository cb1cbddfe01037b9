package layerwise.tensor.safetensors;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import layerwise.tensor.ConfigException;

/**
 * Files that may be opened. Symbolic links are followed, as the folders that Hugging Face's cache makes consist of them; what
 * they lead to must be a regular file, since reading a pipe or a device could wait or go on forever.
 */
public final class RegularFile {
    private RegularFile() {}

    /**
     * The file itself, where it can be opened.
     *
     * @param expected what it should be, for the message: {@code "a safetensors file"}
     * @throws ConfigException if there is none, it leads nowhere, or it is a folder, a pipe or a device
     */
    public static Path require(Path file, String expected) {
        if (!Files.isRegularFile(file)) {
            throw new ConfigException("%s: %s, expected %s".formatted(file, found(file), expected));
        }
        return file;
    }

    private static String found(Path file) {
        if (Files.isSymbolicLink(file)) {
            return "a symbolic link to %s, which is %s"
                    .formatted(target(file), Files.exists(file) ? "no regular file" : "not there");
        }
        return Files.exists(file, LinkOption.NOFOLLOW_LINKS) ? "not a regular file" : "no such file";
    }

    private static String target(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException e) {
            return "an unknown place";
        }
    }
}
