package layerwise.report;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/** The real exports among the test resources. */
final class Exports {
    private Exports() {}

    /** Unpacks one into a folder. */
    static Path unpack(String name, Path folder) throws IOException {
        Path file = folder.resolve(name + ".sqlite");
        try (InputStream packed = Exports.class.getResourceAsStream("exports/" + name + ".sqlite.gz");
                InputStream in = new GZIPInputStream(packed)) {
            Files.copy(in, file);
        }
        return file;
    }
}
