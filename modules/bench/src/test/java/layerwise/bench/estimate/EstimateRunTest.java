package layerwise.bench.estimate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import layerwise.bench.config.DeviceChoice;
import layerwise.bench.config.RunConfig;
import layerwise.tensor.ConfigException;
import layerwise.trace.TraceFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EstimateRunTest {
    @TempDir
    Path folder;

    private List<String> run(String... arguments) {
        RunConfig config = Plans.config(arguments);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        PrintStream print = new PrintStream(out, true, StandardCharsets.UTF_8);
        EstimateRun.run(
                config,
                Plans.model(config.model()),
                (DeviceChoice.Estimate) config.device(),
                Arrays.asList(arguments),
                Map.of("PROFILE_DIR", folder.toString()),
                print,
                new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8));
        return out.toString(StandardCharsets.UTF_8).lines().toList();
    }

    @Test
    void aRackOfRanksLeavesALineAndATraceEach() {
        List<String> lines = run(
                "config_gen.yaml",
                "--device",
                "estimate:gb200",
                "--np",
                "64",
                "--gpus-per-node",
                "4",
                "--moe-backend",
                "WIDEEP");
        assertEquals(64, lines.size());
        assertTrue(lines.getLast().startsWith("[RANK 63]  batch_size 128"), lines.getLast());
        TraceFile trace = TraceFile.open(folder.resolve("report_np64_rank63.sqlite"));
        assertTrue(trace.activities().size() > 20, "kernels of one step");
    }

    @ParameterizedTest
    @ValueSource(ints = {48, 512})
    void ranksThatDoNotDivideTheExpertsAreOneLine(int ranks) {
        ConfigException e = assertThrows(
                ConfigException.class,
                () -> run("config_gen.yaml", "--device", "estimate:b200", "--np", String.valueOf(ranks)));
        assertEquals(1, e.getMessage().lines().count());
        assertTrue(e.getMessage().contains("256 experts do not divide over " + ranks + " ranks"), e.getMessage());
        assertTrue(Files.notExists(folder.resolve("report_np" + ranks + "_rank0.sqlite")));
    }

    @Test
    void anEstimateRepeatsItself() {
        String[] arguments = {"config_ctx.yaml", "--device", "estimate:h200-sxm", "--np", "2"};
        assertEquals(run(arguments), run(arguments));
    }

    /** An imbalance makes the ranks with less to do wait in the collective that follows. */
    @Test
    void everyRankWaitsForTheOneWithMostToDo() {
        List<Double> balanced = new ArrayList<>();
        for (String ratio : List.of("1", "0")) {
            run(
                    "config_gen.yaml",
                    "--device",
                    "estimate:h100-sxm",
                    "--np",
                    "8",
                    "--balance-method",
                    "ImbalancedRanks",
                    "--balance-ratio",
                    ratio);
            RunConfig config = Plans.config(
                    "config_gen.yaml",
                    "--device",
                    "estimate:h100-sxm",
                    "--np",
                    "8",
                    "--balance-method",
                    "ImbalancedRanks",
                    "--balance-ratio",
                    ratio);
            Estimator estimator = EstimateRun.estimator(
                    config, Plans.model(config.model()), (DeviceChoice.Estimate) config.device(), Map.of());
            Estimator.Step step = estimator.step(config.problems().getFirst());
            for (int rank = 1; rank < 8; rank++) {
                assertEquals(step.nanos(0), step.nanos(rank), step.nanos(0) * 0.05, "ranks end together");
            }
            balanced.add(step.nanos(7));
        }
        assertTrue(balanced.getLast() > balanced.getFirst(), balanced.toString());
    }
}
