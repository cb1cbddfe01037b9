package layerwise.report;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;
import layerwise.trace.TraceException;

/**
 * The files of one report: all are written under other names first and renamed together, so a failure leaves those of
 * an earlier report untouched.
 */
final class OutputFiles implements AutoCloseable {
    private final Map<Path, Path> unfinished = new LinkedHashMap<>();

    /** What writes one file. */
    interface Content {
        void write(OutputStream out) throws IOException;
    }

    void add(Path target, String text) {
        add(target, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    }

    /**
     * Writes one file under another name.
     *
     * @throws TraceException if it cannot be written
     */
    void add(Path target, Content content) {
        Path folder = target.toAbsolutePath().getParent();
        if (!Files.isDirectory(folder)) {
            throw new TraceException(target + ": cannot be written: there is no folder " + folder);
        }
        Path file = target.resolveSibling(
                target.getFileName() + "." + ProcessHandle.current().pid() + ".tmp");
        unfinished.put(target, file);
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16)) {
            content.write(out);
        } catch (IOException e) {
            throw new TraceException(target + ": cannot be written: " + e, e);
        }
    }

    /** Puts all files in place. */
    void commit() {
        unfinished.forEach((target, file) -> {
            try {
                Files.move(file, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } catch (IOException e) {
                throw new TraceException(target + ": cannot be written: " + e, e);
            }
        });
        unfinished.clear();
    }

    @Override
    public void close() {
        for (Path file : unfinished.values()) {
            try {
                Files.deleteIfExists(file);
            } catch (IOException e) {
                System.getLogger(OutputFiles.class.getName()).log(System.Logger.Level.WARNING, "left over: " + file, e);
            }
        }
    }
}
