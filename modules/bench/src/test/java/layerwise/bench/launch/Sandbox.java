package layerwise.bench.launch;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * An installation of the launchers in a folder of its own, where every program they start is a fake.
 *
 * <p>A fake appends its arguments to a file, keeps its environment in another and then runs a few lines of shell. Only
 * basic tools are on the PATH beside the fakes, so a program of the machine never stands in for an absent one.
 */
final class Sandbox {
    private static final Path REPOSITORY = Path.of(System.getProperty("layerwise.home"));
    private static final List<String> TOOLS = List.of(
            "bash",
            "env",
            "dirname",
            "readlink",
            "sed",
            "mkdir",
            "tee",
            "cat",
            "rm",
            "touch",
            "find",
            "chmod",
            "sleep");

    private final Path folder;
    private final Map<String, String> environment = new TreeMap<>();

    Sandbox(Path folder) throws IOException {
        this.folder = folder.toRealPath();
        Files.createDirectories(fakes());
        Files.createDirectories(tools());
        for (String tool : TOOLS) {
            Files.createSymbolicLink(tools().resolve(tool), Path.of("/usr/bin", tool));
        }
        for (Path script : scripts()) {
            Path copy = home().resolve(REPOSITORY.relativize(script));
            Files.createDirectories(copy.getParent());
            Files.copy(script, copy);
        }
        image(home(), "java.base layerwise.bench");
        image(reportImage(), "java.base layerwise.trace");
        Path app = Files.createDirectories(reportImage().resolve("app"));
        Files.createFile(app.resolve("layerwise-report-0.1.0.jar"));
        environment.put("PATH", path());
        environment.put("HOME", folder.toString());
        environment.put("LLM_MODELS_ROOT", "/models");
        environment.put("CALLS", calls().toString());
    }

    /** Every shell script of the repository. */
    static List<Path> scripts() throws IOException {
        List<Path> scripts = new ArrayList<>(List.of(REPOSITORY.resolve("layerwise"), REPOSITORY.resolve(".ci/run")));
        try (Stream<Path> top = Files.list(REPOSITORY);
                Stream<Path> middleware = Files.list(REPOSITORY.resolve("middleware"))) {
            top.filter(file -> file.toString().endsWith(".sh")).forEach(scripts::add);
            middleware.forEach(scripts::add);
        }
        return scripts;
    }

    /** The installation, where launch lines are run. */
    Path home() {
        return folder.resolve("home");
    }

    Path folder() {
        return folder;
    }

    /** The PATH on which only fakes and basic tools are. */
    String path() {
        return fakes() + ":" + tools();
    }

    private Path fakes() {
        return folder.resolve("fakes");
    }

    private Path tools() {
        return folder.resolve("tools");
    }

    private Path calls() {
        return folder.resolve("calls");
    }

    /** Puts a program on the PATH that records its call and then runs {@code shell}. */
    Sandbox fake(String name, String shell) throws IOException {
        program(fakes().resolve(name), shell);
        return this;
    }

    /** Replaces the runtime of the installation. */
    Sandbox fakeJava(String shell) throws IOException {
        program(home().resolve("bin/java"), shell);
        return this;
    }

    private static void image(Path home, String linked) throws IOException {
        Files.createDirectories(home.resolve("lib"));
        Files.writeString(home.resolve("lib/modules"), "");
        Files.writeString(home.resolve("release"), "MODULES=\"" + linked + "\"\n");
        program(home.resolve("bin/java"), "");
    }

    /** The image of the report program, beside the installation. */
    Path reportImage() {
        return folder.resolve("report");
    }

    /** Writes an executable that records its call and then runs {@code shell}. */
    static void program(Path file, String shell) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, """
                #!/usr/bin/env bash
                name=${0##*/}
                { printf '%s' "$name"; printf '\\x1f%s' "$@"; printf '\\x1e'; } >>"$CALLS"
                env -0 >"$CALLS.$name"
                """ + shell + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    Sandbox with(String variable, String value) {
        environment.put(variable, value);
        return this;
    }

    /** What a shell line left behind. */
    record Result(int exitCode, String stdout, String stderr) {}

    Result run(String shell) {
        return run(shell, home());
    }

    Result run(String shell, Path directory) {
        try {
            Files.deleteIfExists(calls());
            Path stdout = folder.resolve("stdout");
            Path stderr = folder.resolve("stderr");
            ProcessBuilder builder = new ProcessBuilder("/usr/bin/bash", "-c", shell)
                    .directory(directory.toFile())
                    .redirectOutput(stdout.toFile())
                    .redirectError(stderr.toFile());
            builder.environment().clear();
            builder.environment().putAll(environment);
            Process process = builder.start();
            process.getOutputStream().close();
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("did not end: " + shell);
            }
            return new Result(process.exitValue(), Files.readString(stdout), Files.readString(stderr));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** Every fake that the last line started, in order: its name and its arguments. */
    List<List<String>> started() throws IOException {
        if (!Files.exists(calls())) {
            return List.of();
        }
        return Stream.of(Files.readString(calls()).split("\u001e"))
                .map(call -> List.of(call.split("\u001f", -1)))
                .toList();
    }

    /** The environment in which the fake {@code name} was started last. */
    Map<String, String> environmentOf(String name) throws IOException {
        Map<String, String> variables = new TreeMap<>();
        for (String variable : Files.readString(Path.of(calls() + "." + name)).split("\u0000")) {
            String[] parts = variable.split("=", 2);
            variables.put(parts[0], parts[1]);
        }
        return variables;
    }
}
