package layerwise.bench.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The Slurm launchers on a real Slurm. */
class SlurmTest {
    private static final Duration LIMIT = Duration.ofSeconds(15);
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @TempDir
    static Path slurm;

    @TempDir
    Path folder;

    private static SlurmCluster cluster;
    private static String job;

    private Sandbox sandbox;

    @BeforeAll
    static void allocate(@TempDir Path installation) throws IOException {
        cluster = SlurmCluster.start(slurm.toRealPath());
        Sandbox.Result result = onCluster(new Sandbox(installation)).run("NODES=1 TIME=00:05:00 ./slurm_alloc.sh");
        assertEquals(0, result.exitCode(), result.stderr());
        job = result.stdout().strip();
    }

    @AfterAll
    static void stop() throws IOException {
        if (cluster != null) {
            cluster.close();
            assertEquals(List.of(), cluster.processes());
        }
    }

    @BeforeEach
    void install() throws IOException {
        sandbox = onCluster(new Sandbox(folder)).with("SLURM_JOB_ID", job).with("REPORT", "0");
    }

    private static Sandbox onCluster(Sandbox sandbox) {
        return sandbox.with("PATH", "/usr/bin:/bin").with("SLURM_CONF", cluster.configuration());
    }

    @Test
    void allocationPrintsTheJobThatTheLaunchersTake() {
        assertTrue(job.matches("\\d+"), job);
    }

    @Test
    void tasksAreRanksOfOneWorld() throws IOException {
        sandbox.fakeJava("echo \"$WORLD_SIZE $RANK $LOCAL_RANK $NODE_RANK\" >\"$HOME/rank.$SLURM_PROCID\"");

        Sandbox.Result result = sandbox.run("NODES=1 NP=3 ./slurm_launch.sh ./run.sh c.yaml");

        assertEquals(0, result.exitCode(), result.stderr());
        for (int rank = 0; rank < 3; rank++) {
            assertEquals(
                    "3 %d %d 0\n".formatted(rank, rank),
                    Files.readString(sandbox.folder().resolve("rank." + rank)));
            assertTrue(Files.exists(sandbox.home().resolve("profiles/report_np3_rank%d.log".formatted(rank))));
        }
    }

    @Test
    void aTaskThatFailsEndsTheOthersAtOnce() throws IOException {
        sandbox.fakeJava("[[ $RANK == 0 ]] || exit 3; echo $$ >\"$HOME/pid\"; exec sleep 100");
        long start = System.nanoTime();

        Sandbox.Result result = sandbox.run("NODES=1 NP=2 ./slurm_launch.sh ./run.sh c.yaml");

        Duration took = Duration.ofNanos(System.nanoTime() - start);
        assertTrue(took.compareTo(LIMIT) < 0, took.toString());
        assertTrue(result.exitCode() != 0, result.stderr());
        assertTrue(result.stderr().contains("task 1: Exited with exit code 3"), result.stderr());
        Path pid = sandbox.folder().resolve("pid");
        if (Files.exists(pid)) { // it may have been ended before it had a chance to say
            ProcessHandle.of(Long.parseLong(Files.readString(pid).strip()))
                    .ifPresent(process ->
                            process.onExit().orTimeout(10, TimeUnit.SECONDS).join());
        }
    }

    @Test
    void anInteractiveShellSeesNothingOfTheJobAroundIt() {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/script")), "needs script, which makes terminals");
        // script(1) makes the terminal that --pty wants.
        Sandbox.Result result = sandbox.run("script -qec \"NODES=1 NP=1 ./slurm_launch.sh --overlap --pty"
                + " middleware/exclude_slurm_envs bash -c 'tty && env'\" /dev/null </dev/null");

        assertEquals(0, result.exitCode(), result.stdout());
        assertTrue(result.stdout().contains("/dev/pts/"), result.stdout());
        assertTrue(result.stdout().contains("REPORT=0"), result.stdout());
        assertTrue(
                result.stdout().lines().noneMatch(line -> line.startsWith("SLURM_") || line.startsWith("PMIX_")),
                result.stdout());
    }

    private RankJob twoRanks() throws IOException {
        return new RankJob(folder.resolve("ranks"))
                .with("SLURM_CONF", cluster.configuration())
                .with("SLURM_JOB_ID", job)
                .with("NODES", "1")
                .with("NP", "2");
    }

    /** Sequences or heads divided over the ranks, experts divided in both. */
    @ParameterizedTest
    @ValueSource(strings = {"--enable-attention-dp", "--no-enable-attention-dp"})
    void layersOnTwoTasksEqualThoseOfOneRank(String attention) throws IOException {
        try (RankJob ranks = twoRanks()) {
            RankJob.Result result = ranks.end(
                    ranks.start(
                            "./slurm_launch.sh",
                            "./layerwise",
                            "verify",
                            "quickstart.yaml",
                            "--device",
                            "reference",
                            "--batch-size",
                            "3",
                            "--seq-len-kv-cache",
                            "9",
                            attention),
                    PATIENCE);
            assertEquals(0, result.status(), result.output());
            assertTrue(result.output().contains(" outputs of 2 ranks, 0 wrong: OK"), result.output());
        }
    }

    @Test
    void aRunOnTwoTasksLeavesATraceOfEach() throws IOException {
        try (RankJob ranks = twoRanks()) {
            RankJob.Result result = ranks.end(
                    ranks.start(
                            "./slurm_launch.sh",
                            "./run.sh",
                            "quickstart.yaml",
                            "--device",
                            "reference",
                            "--seq-len-kv-cache",
                            "16",
                            "--run-times",
                            "1"),
                    PATIENCE);
            assertEquals(0, result.status(), result.output());
            for (int rank = 0; rank < 2; rank++) {
                assertTrue(result.output().contains("[RANK " + rank + "]  batch_size 4"), result.output());
                assertTrue(Files.exists(folder.resolve("ranks/profiles/report_np2_rank%d.sqlite".formatted(rank))));
            }
        }
    }
}
