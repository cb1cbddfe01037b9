package layerwise.report;

import java.nio.file.Files;
import java.nio.file.Path;
import layerwise.trace.TraceException;

/**
 * A trace as the user named it: a recording of nsys, an export of it, or a trace of this project.
 *
 * @param recording path with the suffix {@code .nsys-rep}; it need not exist
 * @param database  path with the suffix {@code .sqlite}; beside the recording
 */
record TraceLocation(Path recording, Path database) {
    private static final String RECORDING = ".nsys-rep";
    private static final String DATABASE = ".sqlite";

    /**
     * A trace by file name.
     *
     * @throws TraceException if the suffix is neither of nsys nor of SQLite
     */
    static TraceLocation of(Path file) {
        String name = String.valueOf(file.getFileName());
        for (String suffix : new String[] {RECORDING, DATABASE}) {
            if (name.endsWith(suffix)) {
                String stem = name.substring(0, name.length() - suffix.length());
                return new TraceLocation(file.resolveSibling(stem + RECORDING), file.resolveSibling(stem + DATABASE));
            }
        }
        throw new TraceException(file + ": expected a .nsys-rep or .sqlite file");
    }

    /** The trace of one rank as the benchmark names it. */
    static TraceLocation ofRank(Path folder, int worldSize, int rank) {
        return of(folder.resolve("report_np" + worldSize + "_rank" + rank + DATABASE));
    }

    /** The path with another suffix: where a report goes. */
    Path sibling(String suffix) {
        String name = database.getFileName().toString();
        return database.resolveSibling(name.substring(0, name.length() - DATABASE.length()) + suffix);
    }

    /** Whether the recording has to be exported: there is no export yet, or an older one. */
    boolean needsExport() throws java.io.IOException {
        if (!Files.exists(recording)) {
            return false;
        }
        return !Files.exists(database)
                || Files.getLastModifiedTime(database).compareTo(Files.getLastModifiedTime(recording)) < 0;
    }
}
