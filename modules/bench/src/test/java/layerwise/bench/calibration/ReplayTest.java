package layerwise.bench.calibration;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import layerwise.bench.config.Replay;
import layerwise.bench.estimate.EstimateRun;
import layerwise.bench.fixture.Fixtures;
import layerwise.bench.run.RunCommand;
import layerwise.model.layer.ExpertChoice;
import layerwise.model.parallel.Mapping;
import layerwise.model.spec.Activation;
import layerwise.model.spec.MoeSpec;
import layerwise.op.Buffer;
import layerwise.op.Capabilities;
import layerwise.op.Execution;
import layerwise.op.Executor;
import layerwise.op.Journal;
import layerwise.op.Lane;
import layerwise.op.Memory;
import layerwise.op.Program;
import layerwise.op.Routing;
import layerwise.op.SortByExpert;
import layerwise.op.Step;
import layerwise.op.TensorRef;
import layerwise.reference.ReferenceExecutor;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;
import layerwise.tensor.WrongResultException;
import layerwise.trace.TraceFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs that record expert choices and runs that replay them, on the reference executor. */
class ReplayTest {
    private static final MoeSpec SPEC =
            new MoeSpec(16, 4, 256, 0, new Routing.SigmoidGroups(4, 2, true, 2.5), Activation.SWIGLU);

    @TempDir
    Path folder;

    private String run(String options) {
        List<String> arguments = new ArrayList<>(
                List.of("quickstart.yaml", "--device", "reference", "--seq-len-kv-cache", "16", "--run-times", "6"));
        arguments.addAll(List.of(options.split(" ")));
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(text, true, StandardCharsets.UTF_8);
        RunCommand.run(arguments, Map.of("PROFILE_DIR", folder.toString()), out, out, EstimateRun::run);
        return text.toString(StandardCharsets.UTF_8);
    }

    private static Replay replay(int start, int stop) {
        return new Replay(Optional.of("x"), OptionalInt.of(start), OptionalInt.of(stop), true);
    }

    private static RecordedRouting oneRank(List<Integer> layers, int start, int stop) {
        return RecordedRouting.open(Recordings.file("one_rank"), replay(start, stop), layers, SPEC, Mapping.alone());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--layer-indices 3,4,5 --balance-method NotModified",
                "--layer-indices 3,4 --no-use-cuda-graph --balance-method NotModified",
                "--layer-indices 4 --replay-start-iter 43 --replay-stop-iter 45",
                "--layer-indices 2,3 --no-enable-attention-dp --moe-backend VANILLA",
            })
    void everyExpertGetsTheRowsOfTheRecordingInEveryIteration(String options) {
        String text = run(options + " --replay-verify-metadata --replay-file-path " + Recordings.file("one_rank"));
        assertTrue(text.contains("replay verified: rows of every expert in 7 iterations are those of "), text);
        assertEquals(
                options.contains("balance"), !text.contains("it replaces what balance_method Balanced chooses"), text);
    }

    @Test
    void chunksAreReplayedCallByCall() {
        String text =
                run("--moe-max-num-tokens 2 --replay-verify-metadata --replay-file-path " + Recordings.file("chunked"));
        assertTrue(text.contains("replay verified"), text);
    }

    /** Real weights, so that tokens differ in what they choose. */
    @Test
    void whatARunRecordsIsReplayed() {
        Path model = Fixtures.folder("deepseek_v3_a");
        Path file = folder.resolve("collected.json");
        String common = "--model " + model + " --load-format AUTO --layer-indices 0,1 --balance-method NotModified ";
        String text = run(common + "--calibration-mode COLLECT --calibration-file-path " + file);
        assertTrue(text.contains("Calibration: 6 iterations of 1 ranks written to " + file), text);
        List<Iteration> recorded = CalibrationFile.read(file).ranks().getFirst();
        assertEquals(
                List.of(1, 2, 3, 4, 5, 6),
                recorded.stream().map(Iteration::number).toList());
        assertEquals(List.of(new ExpertCall(1, 8, 4, 4)), recorded.getFirst().calls());
        assertTrue(
                recorded.stream()
                        .anyMatch(iteration -> !Arrays.equals(
                                iteration.slots(), recorded.getFirst().slots())),
                "every iteration chose the same");
        assertTrue(run(common + "--replay-verify-metadata --replay-file-path " + file)
                .contains("replay verified"));
    }

    @Test
    void whatABalanceMethodChoosesIsRecordedToo() {
        Path file = folder.resolve("balanced.json");
        run("--layer-indices 3,4 --calibration-mode COLLECT --calibration-file-path " + file);
        Iteration first = CalibrationFile.read(file).ranks().getFirst().getFirst();
        assertArrayEquals(first.slots(3, 0), first.slots(4, 0));
        assertEquals(
                16,
                Arrays.stream(first.slots(3, 0)).distinct().count(),
                "four tokens of top 4 on 16 experts, balanced");
    }

    @Test
    void markedLayersAreRangesInTheTrace() {
        run("--layer-indices 3,4 --calibration-mode MARK");
        Set<String> texts = Set.copyOf(TraceFile.open(folder.resolve("report_np1_rank0.sqlite"))
                .ranges()
                .texts());
        assertTrue(texts.contains("layer_wise_benchmarks layer_idx 3"), texts.toString());
        assertTrue(texts.contains("layer_wise_benchmarks layer_idx 4"), texts.toString());
        assertFalse(texts.contains("layer_wise_benchmarks layer_idx 5"), "the norm after the last layer");
    }

    /** The check itself: a step that goes on with the choices of the iteration before does not pass. */
    @Test
    void staleChoicesAreFoundOut() {
        TensorRef offsets = Buffer.of("offsets", DType.I32, 17).whole();
        TensorRef pairs = Buffer.of("pairs", DType.I32, 16).whole();
        TensorRef slots = Buffer.of("slots", DType.I32, 4, 4).whole();
        for (boolean stale : new boolean[] {false, true}) {
            ReplayedStep step = new ReplayedStep(oneRank(List.of(3), 42, 46), 1, 7, true, Set.of(), line -> {});
            try (Executor executor = new ReferenceExecutor(Journal.NONE, Capabilities.plain());
                    Memory memory = executor.allocate()) {
                ExpertChoice.Fixed choice =
                        (ExpertChoice.Fixed) step.choose(memory).at(3);
                SortByExpert sort = new SortByExpert(choice.chunks().getFirst().ids(), offsets, pairs, slots, 0);
                Program program = step.observe(new Program(List.of(new Step.Launch(sort, Lane.MAIN)), List.of()));
                try (Execution execution = executor.prepare(program, memory)) {
                    step.bind(execution.memory());
                    for (int i = 0; i < 7; i++) {
                        if (!stale || i != 4) {
                            step.before(i);
                        }
                        execution.run();
                        step.after(i);
                    }
                    if (stale) {
                        String message = assertThrows(WrongResultException.class, step::finish)
                                .getMessage();
                        assertTrue(message.startsWith("replay: iteration 46, layer 3: expert "), message);
                    } else {
                        step.finish();
                        try (Arena arena = Arena.ofConfined()) {
                            int[] ids = execution
                                    .memory()
                                    .read(choice.chunks().getFirst().ids(), arena)
                                    .copyToInts();
                            assertEquals(Recordings.slot(0, 43, 3, 2, 1), ids[9], "iteration 7 is the window's second");
                        }
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--replay-start-iter 105 --replay-stop-iter 110|replay_start_iter 105 to replay_stop_iter 110 are not all in it: it has iterations 42 to 46",
                "--replay-start-iter 44 --replay-stop-iter 2147483647|are not all in it: it has iterations 42 to 46",
                "--layer-indices 6|iteration 42 has no layer 6: it has layers [3, 4, 5]",
                "--layer-indices 0,1|layers [0, 1] have no experts",
                "--batch-size 2|calls of [4] tokens, this run's batch_size times seq_len_q needs [2]",
                "--moe-max-num-tokens 2|calls of [4] tokens, this run's batch_size times seq_len_q needs [2, 2]",
                "--scaled-from 2|iteration 42, layer 3: top 4 of num_slots 16, expected top 4 of 8 as the model has",
            })
    void whatDoesNotFitIsRefusedInOneLine(String options, String message) {
        ConfigException e = assertThrows(
                ConfigException.class, () -> run(options + " --replay-file-path " + Recordings.file("one_rank")));
        assertTrue(e.getMessage().contains(message), e.getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--calibration-mode COLLECT|expected a calibration_file_path with COLLECT only",
                "--calibration-mode MARK --calibration-file-path x|expected a calibration_file_path with COLLECT only",
                "--calibration-mode COLLECT --calibration-file-path x --replay-file-path y|expected one of them",
                "--calibration-mode COLLECT --calibration-file-path x --batch-size 1,2|2 problems, expected 1",
                "--calibration-mode COLECT|nearest: COLLECT",
            })
    void modesThatContradictEachOtherAreRefused(String options, String message) {
        ConfigException e = assertThrows(ConfigException.class, () -> run(options));
        assertTrue(e.getMessage().contains(message), e.getMessage());
    }

    @Test
    void aRecordingOfAnotherWorldIsRefused() {
        ConfigException e =
                assertThrows(ConfigException.class, () -> run("--replay-file-path " + Recordings.file("two_ranks")));
        assertTrue(
                e.getMessage().contains("World size mismatch: world_size is 2, this run has 1 ranks"), e.getMessage());
    }

    @Test
    void loadsOfAStepAreTheWindowsMeans() {
        RecordedRouting routing = oneRank(List.of(3), 42, 46);
        assertEquals(16, routing.loads(0, 3, 0).experts(0).rows());
        // Iterations 42 and 43 differ in how far a token's experts lie apart, so in how many are hit.
        double hit = routing.loads(0, 3, 0).experts(0).activeExperts();
        assertNotEquals(hit, routing.loads(1, 3, 0).experts(0).activeExperts());
        int[] counts = routing.counts(0, 3, 0);
        assertEquals(hit, Arrays.stream(counts).filter(c -> c > 0).count());
    }
}
