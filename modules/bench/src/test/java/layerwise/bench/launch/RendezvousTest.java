package layerwise.bench.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ranks that nobody but their variables tells of each other: they meet at an address, without MPI. */
class RendezvousTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private RankJob job;

    @BeforeEach
    void install() throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        job = new RankJob(folder)
                .program("layerwise.bench.ranks.RankProgram")
                .with("LAYERWISE_RENDEZVOUS", "127.0.0.1:" + port);
    }

    @AfterEach
    void end() {
        job.close();
    }

    private List<Process> start(int ranks, int world, String scenario) throws IOException {
        List<Process> processes = new ArrayList<>();
        for (int rank = ranks - 1; rank >= 0; rank--) {
            job.with("WORLD_SIZE", Integer.toString(world)).with("RANK", Integer.toString(rank));
            processes.addFirst(job.start("./run.sh", scenario));
        }
        return processes;
    }

    @Test
    void ranksExchangeMessagesWhoeverComesFirst() throws IOException {
        for (Process process : start(3, 3, "messages")) {
            assertEquals(0, job.end(process, SOON).status(), job.output());
        }
        assertTrue(job.output().contains("MESSAGES 2 of 3 false"), job.output());
    }

    @Test
    void aKilledRankEndsTheOthersWhoNameIt() throws IOException, InterruptedException {
        List<Process> processes = start(3, 3, "wait");
        List<String> pids = job.await("PID 1 (\\d+)", 1);
        ProcessHandle.of(Long.parseLong(pids.getFirst())).orElseThrow().destroyForcibly();
        assertEquals(1, job.end(processes.get(0), SOON).status(), job.output());
        assertEquals(1, job.end(processes.get(2), SOON).status(), job.output());
        assertTrue(job.output().contains("layerwise: rank 0: rank 1 is gone: its process died"), job.output());
        assertEquals(List.of(), job.leftOver());
    }

    @Test
    void aRankThatThrowsEndsTheOthersQuietly() throws IOException, InterruptedException {
        for (Process process : start(3, 3, "throw")) {
            assertEquals(1, job.end(process, SOON).status(), job.output());
        }
        assertTrue(job.output().contains("layerwise: rank 1: java.lang.IllegalStateException: the fault of one rank"));
        assertTrue(!job.output().contains("is gone"), job.output());
        assertEquals(List.of(), job.leftOver());
    }

    @Test
    void aRankThatNeverStartsEndsTheWaitAndIsNamed() throws IOException, InterruptedException {
        job.with("LAYERWISE_RENDEZVOUS_SECONDS", "4");
        List<Process> processes = start(2, 3, "wait");
        assertEquals(2, job.end(processes.get(0), SOON).status(), job.output());
        assertEquals(2, job.end(processes.get(1), SOON).status(), job.output());
        assertTrue(job.output().contains("rendezvous: rank 2 of 3 did not come to 127.0.0.1:"), job.output());
        assertTrue(job.output().contains("within 4 s"), job.output());
        assertEquals(List.of(), job.leftOver());
    }

    @Test
    void severalRanksWithoutMpiNeedAnAddress() throws IOException {
        job.with("LAYERWISE_RENDEZVOUS", "nowhere");
        assertEquals(2, job.end(start(1, 2, "wait").getFirst(), SOON).status(), job.output());
        assertTrue(job.output().contains("LAYERWISE_RENDEZVOUS=nowhere: expected HOST:PORT of rank 0"), job.output());
    }
}
