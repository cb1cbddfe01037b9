package layerwise.bench.launch;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import layerwise.bench.TestClassPath;

/**
 * Ranks that the real launchers start with the real {@code mpirun} or {@code srun}. Only the program behind {@code layerwise} is not the
 * image but the classes under test.
 */
final class RankJob implements AutoCloseable {
    private static final Path REPOSITORY = Path.of(System.getProperty("layerwise.home"));

    /** Carried by every process of the job, so that those left over are found. */
    private static final String MARK = "LAYERWISE_TEST_JOB";

    private final Path home;
    private final Path log;
    private final Map<String, String> environment = new TreeMap<>();
    private final String mark = UUID.randomUUID().toString();
    private final List<Process> started = new ArrayList<>();

    /** Installs the launchers in a folder. */
    RankJob(Path folder) throws IOException {
        home = Files.createDirectories(folder.resolve("home"));
        log = folder.resolve("output.txt");
        for (String name : List.of("run.sh", "mpi_launch.sh", "slurm_launch.sh", "middleware/exclude_slurm_envs")) {
            Path target = home.resolve(name);
            Files.createDirectories(target.getParent());
            Files.copy(REPOSITORY.resolve(name), target);
        }
        program("layerwise.bench.Main");
        environment.put("PROFILE_DIR", folder.resolve("profiles").toString());
        environment.put("REPORT", "0");
        environment.put(MARK, mark);
    }

    /** What {@code layerwise} starts. */
    RankJob program(String main) throws IOException {
        Path script = home.resolve("layerwise");
        Files.writeString(script, """
                #!/usr/bin/env bash
                [[ $1 == run || $1 == verify || $1 == forward || $1 == collectives ]] || exit 0
                exec %s -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx512m --enable-native-access=ALL-UNNAMED \
                    -Dlayerwise.home=%s -cp %s %s "$@"
                """.formatted(TestClassPath.java(), REPOSITORY, TestClassPath.current(), main));
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        return this;
    }

    RankJob with(String variable, String value) {
        environment.put(variable, value);
        return this;
    }

    /** How a job ended, and what it printed. */
    record Result(int status, String output, Duration duration) {}

    /** Starts a command of the installation; output of all of them goes to one file. */
    Process start(String... command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).directory(home.toFile());
        // What the build's own environment says of ranks is not meant for the job.
        builder.environment()
                .keySet()
                .removeIf(
                        name -> name.matches("(OMPI|PMIX|SLURM|LAYERWISE|CONTAINER)_.*|RANK|WORLD_SIZE|.*LOCAL_RANK"));
        builder.environment().putAll(environment);
        builder.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        Process process = builder.start();
        started.add(process);
        return process;
    }

    /** Starts ranks as the customer does: {@code NP=… ./mpi_launch.sh --oversubscribe --bind-to none ./run.sh …}. */
    Process startRanks(int ranks, String... command) throws IOException {
        with("NP", Integer.toString(ranks));
        List<String> line = new ArrayList<>(List.of("./mpi_launch.sh", "--oversubscribe", "--bind-to", "none"));
        line.addAll(List.of(command));
        return start(line.toArray(String[]::new));
    }

    /** Runs ranks to their end. */
    Result runRanks(int ranks, String... command) throws IOException {
        return end(startRanks(ranks, command), Duration.ofMinutes(4));
    }

    /** Waits for an end. */
    Result end(Process process, Duration patience) {
        long start = System.nanoTime();
        try {
            if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new AssertionError("still running after " + patience + ":\n" + output());
            }
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted", e);
        }
        return new Result(process.exitValue(), output(), Duration.ofNanos(System.nanoTime() - start));
    }

    String output() {
        try {
            return Files.exists(log) ? Files.readString(log) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits until a line matches; the first group of each that does. */
    List<String> await(String regex, int lines) throws InterruptedException {
        Pattern pattern = Pattern.compile(regex, Pattern.MULTILINE);
        for (int i = 0; i < 1200; i++) {
            List<String> found = new ArrayList<>();
            Matcher matcher = pattern.matcher(output());
            while (matcher.find()) {
                found.add(matcher.group(1));
            }
            if (found.size() >= lines) {
                return found;
            }
            Thread.sleep(100);
        }
        throw new AssertionError("no " + lines + " lines " + regex + ":\n" + output());
    }

    /** Processes of the job that are left, after a moment in which they may still end. */
    List<String> leftOver() throws IOException, InterruptedException {
        List<String> left = List.of();
        for (int i = 0; i < 50; i++) {
            left = processes();
            if (left.isEmpty()) {
                return left;
            }
            Thread.sleep(100);
        }
        return left;
    }

    private List<String> processes() throws IOException {
        List<String> found = new ArrayList<>();
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            for (Path process : processes.toList()) {
                if (text(process.resolve("environ")).contains(MARK + "=" + mark)) {
                    found.add(process.getFileName() + " "
                            + text(process.resolve("cmdline")).replace('\0', ' '));
                }
            }
        }
        return found;
    }

    /** A file of a process; nothing of what is none, is another user's, or is gone by now. */
    private static String text(Path file) {
        try {
            return Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return "";
        }
    }

    @Override
    public void close() {
        started.forEach(process -> {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        });
    }
}
