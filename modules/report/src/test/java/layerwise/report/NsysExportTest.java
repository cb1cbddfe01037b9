package layerwise.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Recordings are exported by the nsys on the PATH: here a script of that name, and the program a process of its own. */
class NsysExportTest {
    @TempDir
    Path folder;

    private Path recording;
    private Path database;

    private record Result(int status, String err) {}

    @BeforeEach
    void record() throws IOException {
        Files.createDirectory(folder.resolve("bin"));
        RecordedTrace.write(folder.resolve("exported.sqlite"), 0);
        recording = Files.writeString(folder.resolve("t.nsys-rep"), "recording");
        database = folder.resolve("t.sqlite");
    }

    @Test
    void exportsOnceAndAgainWhenTheRecordingIsNewer() throws IOException, InterruptedException {
        nsys("cp \"$folder/exported.sqlite\" \"$5\"");
        assertEquals(new Result(0, ""), report(recording));
        String call = calls().getFirst();
        assertTrue(call.startsWith("export --type sqlite -o " + folder + "/t."), call);
        assertTrue(call.endsWith(".sqlite --force-overwrite=true " + recording), call);
        assertTrue(Files.exists(folder.resolve("t.csv")));

        assertEquals(new Result(0, ""), report(recording));
        assertEquals(new Result(0, ""), report(database));
        assertEquals(1, calls().size(), "the export is current");

        Files.setLastModifiedTime(recording, FileTime.from(Instant.now().plusSeconds(60)));
        assertEquals(new Result(0, ""), report(database));
        assertEquals(2, calls().size(), "the export is stale");
        assertNothingLeftOver();
    }

    @Test
    void usesAnExportWhoseRecordingIsNotThere() throws IOException, InterruptedException {
        Files.move(folder.resolve("exported.sqlite"), database);
        Files.delete(recording);
        assertEquals(new Result(0, ""), report(recording));
    }

    @Test
    void saysThatNsysIsNotThere() throws IOException, InterruptedException {
        assertRefused(": the nsys program that exports it is not on the PATH; install Nsight Systems, or run where it"
                + " is: nsys export --type sqlite " + recording);
        Files.writeString(database, "earlier");
        Files.setLastModifiedTime(database, FileTime.from(Instant.now().minusSeconds(60)));
        assertRefused(": is newer than its export, and the nsys program that exports it is not on the PATH; install"
                + " Nsight Systems, or run where it is: nsys export --type sqlite " + recording);
        assertEquals("earlier", Files.readString(database));
    }

    @Test
    void saysWhatNsysSaidWhenItIsTooOldOrFails() throws IOException, InterruptedException {
        nsys(
                "echo half >\"$5\"; echo Generating; echo 'The file was made by a newer version 2026.1' >&2; echo; exit 3");
        assertRefused(": nsys export failed with status 3: The file was made by a newer version 2026.1 (the exporting"
                + " nsys must be at least as new as the recording one)");
        assertFalse(Files.exists(database), "half an export must not be taken for a whole one");
    }

    @Test
    void saysThatNsysWroteNothing() throws IOException, InterruptedException {
        nsys("exit 0");
        assertRefused(": nsys export ended without writing a database");
    }

    private void assertRefused(String message) throws IOException, InterruptedException {
        assertEquals(new Result(2, "layerwise: " + recording + message + "\n"), report(recording));
        assertNothingLeftOver();
    }

    private void assertNothingLeftOver() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(
                    List.of(),
                    files.filter(file -> file.toString().contains(".tmp")).toList());
        }
    }

    /** Puts a program nsys on the PATH that notes how it was called. */
    private void nsys(String shell) throws IOException {
        Path program = folder.resolve("bin/nsys");
        Files.writeString(
                program, "#!/bin/bash\nfolder='" + folder + "'\necho \"$*\" >>\"$folder/calls\"\n" + shell + "\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private List<String> calls() throws IOException {
        return Files.readAllLines(folder.resolve("calls"));
    }

    private Result report(Path file) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=org.xerial.sqlitejdbc",
                "--module-path",
                System.getProperty("jdk.module.path"),
                "--class-path", // where the test run puts what only automatic modules need
                System.getProperty("java.class.path"),
                "--module",
                "layerwise.report/layerwise.report.Main"));
        command.addAll(List.of("report", "--file-path", file.toString()));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(folder.resolve("stderr").toFile());
        builder.environment()
                .put(
                        "PATH",
                        folder.resolve("bin") + (Files.exists(folder.resolve("bin/nsys")) ? ":/usr/bin:/bin" : ""));
        Process process = builder.start();
        assertTrue(process.waitFor(120, TimeUnit.SECONDS), "did not end");
        return new Result(process.exitValue(), Files.readString(folder.resolve("stderr"), StandardCharsets.UTF_8));
    }
}
