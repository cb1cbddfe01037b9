package layerwise.report;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import layerwise.trace.TraceException;

/** Exports recordings with the nsys program, where that is needed. */
final class NsysExport {
    private NsysExport() {}

    /**
     * The trace's database, exported now if the recording is newer.
     *
     * @throws TraceException if there is neither, or nsys is missing, too old or fails
     */
    static Path database(TraceLocation location) {
        try {
            if (!location.needsExport()) {
                if (!Files.exists(location.database())) {
                    throw new TraceException(location.database() + ": no such file, and no .nsys-rep beside it");
                }
                return location.database();
            }
            export(location);
            return location.database();
        } catch (IOException e) {
            throw new TraceException(location.recording() + ": cannot be exported: " + e.getMessage(), e);
        }
    }

    private static void export(TraceLocation location) throws IOException {
        Path unfinished = location.sibling("." + ProcessHandle.current().pid() + ".tmp.sqlite");
        List<String> command = List.of(
                "nsys",
                "export",
                "--type",
                "sqlite",
                "-o",
                unfinished.toString(),
                "--force-overwrite=true",
                location.recording().toString());
        try {
            run(command, location);
            if (!Files.exists(unfinished)) {
                throw new TraceException(location.recording() + ": nsys export ended without writing a database");
            }
            Files.move(
                    unfinished,
                    location.database(),
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    private static void run(List<String> command, TraceLocation location) throws IOException {
        Path recording = location.recording();
        Process process;
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            throw new TraceException(
                    recording + (Files.exists(location.database()) ? ": is newer than its export, and" : ":")
                            + " the nsys program that exports it is not on the PATH; install Nsight Systems, or run"
                            + " where it is: nsys export --type sqlite " + recording,
                    e);
        }
        String output;
        try (var stream = process.getInputStream()) {
            output = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
        int status = await(process);
        if (status != 0) {
            throw new TraceException(recording + ": nsys export failed with status " + status + ": " + lastLine(output)
                    + " (the exporting nsys must be at least as new as the recording one)");
        }
    }

    private static int await(Process process) {
        try {
            return process.waitFor();
        } catch (InterruptedException e) {
            process.destroy();
            Thread.currentThread().interrupt();
            throw new TraceException("interrupted while nsys was exporting", e);
        }
    }

    private static String lastLine(String output) {
        return output.lines()
                .filter(line -> !line.isBlank())
                .reduce((a, b) -> b)
                .orElse("no message");
    }
}
