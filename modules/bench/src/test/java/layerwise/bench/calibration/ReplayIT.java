package layerwise.bench.calibration;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import layerwise.bench.estimate.EstimateRun;
import layerwise.bench.run.RunCommand;
import layerwise.cuda.DeviceInfo;
import layerwise.cuda.DeviceUnavailableException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Replays on a GPU: the rows that each expert gets are counted there in every iteration. */
@Tag("gpu")
class ReplayIT {
    @TempDir
    Path folder;

    @BeforeAll
    static void needsGpu() {
        try {
            assumeTrue(!DeviceInfo.all().isEmpty(), "the driver shows no device");
        } catch (DeviceUnavailableException e) {
            abort(e.getMessage());
        }
    }

    private String run(String options) {
        List<String> arguments = new ArrayList<>(List.of("quickstart.yaml", "--device", "cuda", "--run-times", "12"));
        arguments.addAll(List.of(options.split(" ")));
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(text, true, StandardCharsets.UTF_8);
        RunCommand.run(arguments, Map.of("PROFILE", "0", "PROFILE_DIR", folder.toString()), out, out, EstimateRun::run);
        return text.toString(StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "one_rank --use-cuda-graph --layer-indices 3,4,5",
                "one_rank --no-use-cuda-graph --layer-indices 3,4,5 --moe-backend VANILLA",
                "one_rank --use-cuda-graph --replay-start-iter 43 --replay-stop-iter 45",
                "chunked --use-cuda-graph --moe-max-num-tokens 2",
            })
    void everyExpertGetsTheRowsOfTheRecordingInEveryIteration(String options) {
        int name = options.indexOf(' ');
        String text = run(options.substring(name + 1) + " --replay-verify-metadata --replay-file-path "
                + Recordings.file(options.substring(0, name)));
        assertTrue(text.contains("replay verified: rows of every expert in 13 iterations are those of "), text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--use-cuda-graph", "--no-use-cuda-graph"})
    void whatARunRecordsIsReplayed(String graph) {
        Path file = folder.resolve("collected.json");
        String common = graph + " --layer-indices 3,4 --balance-method NotModified ";
        assertTrue(run(common + "--calibration-mode COLLECT --calibration-file-path " + file)
                .contains("Calibration: 12 iterations of 1 ranks written"));
        assertTrue(run(common + "--replay-verify-metadata --replay-file-path " + file)
                .contains("replay verified"));
    }
}
