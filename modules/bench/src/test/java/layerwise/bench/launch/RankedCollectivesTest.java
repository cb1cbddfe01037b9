package layerwise.bench.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Collectives between ranks that the real mpirun starts, on the reference executor. */
class RankedCollectivesTest {
    @TempDir
    Path folder;

    private RankJob job;

    @BeforeEach
    void install() throws IOException {
        boolean there = Stream.of(System.getenv("PATH").split(":"))
                .anyMatch(place -> Files.isExecutable(Path.of(place, "mpirun")));
        assumeTrue(there, "mpirun is not on the PATH: install openmpi-bin");
        job = new RankJob(folder);
    }

    @AfterEach
    void end() {
        if (job != null) {
            job.close();
        }
    }

    @Test
    void everyCollectiveSizeAndModeIsARowOfRankZero() throws IOException {
        RankJob.Result result =
                job.runRanks(3, "./layerwise", "collectives", "--device", "reference", "--bytes", "480,9600");
        assertEquals(0, result.status(), result.output());
        List<String> rows = Files.readAllLines(folder.resolve("profiles/collectives_np3.csv"));
        assertEquals(
                List.of(
                        "AllReduce,480,mpi,reference,graph",
                        "AllReduce,480,mpi,reference,eager",
                        "AllReduce,9600,mpi,reference,graph",
                        "AllReduce,9600,mpi,reference,eager",
                        "AllGather,480,mpi,reference,graph",
                        "AllGather,480,mpi,reference,eager",
                        "AllGather,9600,mpi,reference,graph",
                        "AllGather,9600,mpi,reference,eager",
                        "ReduceScatter,480,mpi,reference,graph",
                        "ReduceScatter,480,mpi,reference,eager",
                        "ReduceScatter,9600,mpi,reference,graph",
                        "ReduceScatter,9600,mpi,reference,eager"),
                rows.stream()
                        .skip(1)
                        .map(row -> String.join(",", List.of(row.split(",")).subList(0, 5)))
                        .toList());
        assertEquals(
                12,
                result.output().lines().filter(line -> line.startsWith("  ")).count(),
                result.output());
        assertTrue(result.output().contains("# AllToAll left out: NCCL alone exchanges equal parts"), result.output());
        assertTrue(result.output().contains("# 12 rows, results checked: "), result.output());
        try (Stream<Path> files = Files.list(folder.resolve("profiles"))) {
            assertEquals(
                    List.of("collectives_np3.csv", "collectives_np3.json"),
                    files.map(file -> file.getFileName().toString()).sorted().toList());
        }
    }

    @Test
    void whatIsRefusedEndsAllRanksWithOneLineOfRankZero() throws IOException {
        RankJob.Result result =
                job.runRanks(2, "./layerwise", "collectives", "--device", "reference", "--bytes", "100");
        assertEquals(2, result.status(), result.output());
        assertEquals(
                List.of("layerwise: rank 0: --bytes: 100: expected a multiple of 32, 16 bytes for each of 2 ranks;"
                        + " nearest: 96"),
                result.output()
                        .lines()
                        .filter(line -> line.startsWith("layerwise:"))
                        .toList());
    }
}
