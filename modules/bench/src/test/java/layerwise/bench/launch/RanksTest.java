package layerwise.bench.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.stream.Stream;
import layerwise.bench.fixture.Fixtures;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;
import layerwise.tensor.safetensors.SafetensorsFile;
import layerwise.tensor.safetensors.SafetensorsWriter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Several ranks, started by the real launchers and the real mpirun, on the reference executor. */
class RanksTest {
    private static final String PROGRAM = "layerwise.bench.ranks.RankProgram";

    /** A rank's end must end the others within this. */
    private static final Duration SOON = Duration.ofSeconds(15);

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

    private static void assertEnded(RankJob.Result result, int status, String... parts) {
        assertEquals(status, result.status(), result.output());
        for (String part : parts) {
            assertTrue(result.output().contains(part), "no '" + part + "' in\n" + result.output());
        }
    }

    private static long count(String text, String output) {
        return output.lines().filter(line -> line.contains(text)).count();
    }

    @Test
    void messagesOfAllLengthsArriveAmongFourRanks() throws IOException {
        RankJob.Result result = job.program(PROGRAM).runRanks(4, "./run.sh", "messages");
        assertEnded(result, 0, "MESSAGES 0 of 4 true", "MESSAGES 3 of 4 true");
    }

    /** Transformers' activations, in float32: heads and experts divided, and sequences and experts divided. */
    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void dividedLayersMatchTransformersAsOneRankDoes(int ranks) throws IOException {
        Path fixture = Fixtures.folder("deepseek_v3_a");
        Path ragged = fiveSequences(fixture.resolve("io.safetensors"));
        RankJob.Result result = job.program("layerwise.bench.forward.RankedForward")
                .runRanks(ranks, "./run.sh", "TP:" + fixture + ":" + ragged, "DP:" + fixture + ":" + ragged);
        assertEnded(result, 0);
        assertEquals(ranks, count("AGREES TP", result.output()), result.output());
        assertEquals(ranks, count("AGREES DP", result.output()), result.output());
    }

    /** Heads, groups of them and their states divided; two ranks, as the fixtures have two groups and two key heads. */
    @Test
    void dividedHybridLayersMatchTransformersAsOneRankDoes() throws IOException {
        List<String> line = new ArrayList<>(List.of("./run.sh"));
        for (String name : List.of("nemotron_h_a", "qwen3_next_a")) {
            Path io = Fixtures.folder(name).resolve("io.safetensors");
            line.add("TP:" + Fixtures.folder(name) + ":" + io);
            line.add("DP:" + Fixtures.folder(name) + ":" + io);
        }
        RankJob.Result result =
                job.program("layerwise.bench.forward.RankedForward").runRanks(2, line.toArray(String[]::new));
        assertEnded(result, 0);
        assertEquals(4, count("AGREES TP", result.output()), result.output());
        assertEquals(4, count("AGREES DP", result.output()), result.output());
    }

    /** The fixture's two sequences in turn: no number of ranks divides five, so their tokens differ. */
    private Path fiveSequences(Path two) throws IOException {
        Path five = folder.resolve("five.safetensors");
        LinkedHashMap<String, HostTensor> tensors = new LinkedHashMap<>();
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile file = SafetensorsFile.open(two, arena);
            for (String name : file.names()) {
                HostTensor tensor = file.tensor(name);
                if (tensor.shape().rank() != 3 || tensor.shape().dim(0) != 2 || tensor.dtype() != DType.F32) {
                    continue;
                }
                float[] values = tensor.copyToFloats();
                int one = values.length / 2;
                float[] repeated = new float[5 * one];
                for (int i = 0; i < 5; i++) {
                    System.arraycopy(values, i % 2 * one, repeated, i * one, one);
                }
                Shape shape = Shape.of(5, tensor.shape().dim(1), tensor.shape().dim(2));
                tensors.put(name, HostTensor.copyOf(arena, DType.F32, shape, repeated));
            }
            SafetensorsWriter.write(five, tensors, new LinkedHashMap<>());
        }
        return five;
    }

    /** Every operator, and the layers as a whole against one rank, in the modes that a benchmark has. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "2|NVLinkTwoSided|--use-low-precision-moe-combine --moe-max-num-tokens 4",
                "2|NVLinkOneSided|--scaled-from 4 --balance-method ImbalancedExperts --balance-ratio 0.5",
                "4|NotEnabled|--no-enable-attention-dp --moe-max-num-tokens 2",
                "4|NotEnabled|--no-enable-attention-dp --model tiny-qwen3-next --layer-indices 6,7",
                "4|NotEnabled|--no-enable-attention-dp --model tiny-nemotron --layer-indices 10,11,12",
                "2|NVLinkOneSided|--model tiny-nemotron --layer-indices 4,5,6 --run-type CTX",
            })
    void layersEqualThoseOfOneRank(int ranks, String method, String options) throws IOException {
        String line =
                "./layerwise verify quickstart.yaml --device reference --batch-size 3 --seq-len-kv-cache 9 " + options;
        RankJob.Result result = job.with("TRTLLM_FORCE_ALLTOALL_METHOD", method).runRanks(ranks, line.split(" "));
        assertEnded(result, 0, " outputs of %d ranks, 0 wrong: OK".formatted(ranks), "captured, relative");
    }

    @Test
    void aRunLeavesATraceALogAndStatisticsOfEveryRank() throws IOException {
        RankJob.Result result =
                job.runRanks(2, "./run.sh", "quickstart.yaml", "--seq-len-kv-cache", "16", "--device", "reference");
        assertEnded(result, 0, "[RANK 0]  batch_size 4", "[RANK 1]  batch_size 4");
        for (String name : List.of("rank0.sqlite", "rank1.sqlite", "rank0.log", "rank1.log")) {
            assertTrue(Files.size(folder.resolve("profiles/report_np2_" + name)) > 0, name);
        }
        assertEquals(1, count("Layer-wise benchmarks: Warmup  ... Done", result.output()), result.output());
    }

    @Test
    void aKilledRankEndsTheJobAndIsNamed() throws IOException, InterruptedException {
        Process process = job.program(PROGRAM).startRanks(4, "./run.sh", "wait");
        List<String> pids = job.await("PID 2 (\\d+)", 1);
        ProcessHandle.of(Long.parseLong(pids.getFirst())).orElseThrow().destroyForcibly();
        RankJob.Result result = job.end(process, SOON);
        assertFalse(result.status() == 0, result.output());
        // mpirun's words: the process [[job,1],2], its exit code 128 + 9.
        assertTrue(result.output().contains(",1],2]"), result.output());
        assertTrue(result.output().contains("137"), result.output());
        assertEquals(List.of(), job.leftOver());
    }

    @Test
    void aRankThatThrowsEndsTheJobWithItsOwnWords() throws IOException, InterruptedException {
        Process process = job.program(PROGRAM).startRanks(2, "./run.sh", "throw");
        job.await("(the fault of one rank)", 1);
        RankJob.Result result = job.end(process, SOON);
        assertEnded(result, 1, "layerwise: rank 1: java.lang.IllegalStateException: the fault of one rank");
        assertEquals(List.of(), job.leftOver());
    }

    @Test
    void differentConfigurationsAreNamedByRankZeroOnly() throws IOException, InterruptedException {
        RankJob.Result result = job.program(PROGRAM).runRanks(3, "./run.sh", "differ");
        assertEnded(
                result,
                2,
                "layerwise: rank 0: batch_size: rank 1 has [8], rank 0 has [4]: expected the same on every rank");
        assertEquals(1, count("expected the same on every rank", result.output()), result.output());
        assertEquals(List.of(), job.leftOver());
    }

    @Test
    void aBadConfigurationIsPrintedOnce() throws IOException {
        RankJob.Result result =
                job.runRanks(2, "./run.sh", "quickstart.yaml", "--moe-backend", "WIDEEPP", "--device", "reference");
        assertEnded(result, 2, "layerwise: rank 0: ");
        assertEquals(1, count("WIDEEPP", result.output().replaceAll("(?m)^\\+.*$", "")), result.output());
    }

    @Test
    void aRankThatNeverJoinsMpiEndsTheJobAfterAWhile() throws IOException, InterruptedException {
        job.program(PROGRAM).with("LAYERWISE_RENDEZVOUS_SECONDS", "3");
        RankJob.Result result = job.runRanks(1, "./run.sh", "wait", ":", "--np", "1", "sleep", "100");
        assertEnded(result, 2, "layerwise: rank 0: rendezvous: not all of 2 ranks started MPI within 3 s");
        assertEquals(List.of(), job.leftOver());
    }
}
