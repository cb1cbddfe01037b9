package layerwise.bench.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import layerwise.bench.calibration.Recordings;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two ranks, started by the real mpirun, record and replay expert choices on the reference executor. */
class RankedReplayTest {
    @TempDir
    Path folder;

    private RankJob job;

    @BeforeEach
    void install() throws IOException {
        boolean there = Stream.of(System.getenv("PATH").split(":"))
                .anyMatch(place -> Files.isExecutable(Path.of(place, "mpirun")));
        assumeTrue(there, "mpirun is not on the PATH: install openmpi-bin");
        job = new RankJob(folder).with("PROFILE", "0");
    }

    @AfterEach
    void end() {
        if (job != null) {
            job.close();
        }
    }

    private RankJob.Result run(String options) throws IOException {
        List<String> line = new ArrayList<>(List.of(
                "./run.sh",
                "quickstart.yaml",
                "--device",
                "reference",
                "--seq-len-kv-cache",
                "16",
                "--run-times",
                "4"));
        line.addAll(List.of(options.split(" ")));
        return job.runRanks(2, line.toArray(String[]::new));
    }

    @ParameterizedTest
    @ValueSource(strings = {"--enable-attention-dp", "--enable-attention-dp --no-use-cuda-graph --layer-indices 3,4"})
    void eachRankReplaysItsOwnTokens(String options) throws IOException {
        RankJob.Result result =
                run(options + " --replay-verify-metadata --replay-file-path " + Recordings.file("two_ranks"));
        assertEquals(0, result.status(), result.output());
        assertTrue(
                result.output().contains("replay verified: rows of every expert in 5 iterations are those of "),
                result.output());
    }

    @Test
    void whatTwoRanksRecordTheyReplayUnderTensorParallelismToo() throws IOException {
        for (String mode : new String[] {"--enable-attention-dp", "--no-enable-attention-dp"}) {
            Path file = folder.resolve("recorded" + mode + ".json");
            String common = mode + " --balance-method NotModified";
            RankJob.Result recorded = run(common + " --calibration-mode COLLECT --calibration-file-path " + file);
            assertEquals(0, recorded.status(), recorded.output());
            assertTrue(recorded.output().contains("Calibration: 4 iterations of 2 ranks written"), recorded.output());
            RankJob.Result replayed = run(common + " --replay-verify-metadata --replay-file-path " + file);
            assertEquals(0, replayed.status(), replayed.output());
            assertTrue(replayed.output().contains("replay verified"), replayed.output());
        }
    }

    @Test
    void aFileOfOneRankIsRefusedOnce() throws IOException {
        RankJob.Result result = run("--replay-file-path " + Recordings.file("one_rank"));
        assertEquals(2, result.status(), result.output());
        assertEquals(
                1,
                result.output()
                        .lines()
                        .filter(line -> line.contains("World size mismatch"))
                        .count(),
                result.output());
    }
}
