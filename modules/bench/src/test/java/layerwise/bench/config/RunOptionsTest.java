package layerwise.bench.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import layerwise.trace.ProblemSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunOptionsTest {
    @TempDir
    Path folder;

    @Test
    void acceptsAnyUnambiguousPrefixAndBothFormsOfValues() {
        RunConfig config = gen(
                "--replay-start", "3", "--replay-stop=5", "--replay-file", "x.json", "--run-ti=7", "--no-enable-au");

        assertEquals(OptionalInt.of(3), config.replay().startIter());
        assertEquals(OptionalInt.of(5), config.replay().stopIter());
        assertEquals(7, config.runTimes());
        assertFalse(config.autotuner());
    }

    @Test
    void anExactNameWinsOverLongerNamesThatStartWithIt() {
        RunConfig config = gen("--moe-backend", "TRTLLM");

        assertEquals(MoeBackend.TRTLLM, config.moe().backend());
        assertEquals(MoeBackend.CUTLASS, config.moe().backendForPrefill());
    }

    @Test
    void takesTheFileAnywhereAndTheLastOfRepeatedOptions() {
        String file = Configurations.write(folder, Configurations.GEN).toString();

        RunConfig config = Configurations.parse("--batch-size", "3", file, "--batch-size", "4", "--check");

        assertEquals(List.of(4), config.sweep().batchSizes());
        assertTrue(config.check());
    }

    @Test
    void theCommandLineWinsOverTheFile() {
        String text = Configurations.GEN + "enable_attention_dp: true\nuse_cuda_graph: true\nwarmup_times: 1\n";
        String file = Configurations.write(folder, text).toString();

        RunConfig config = Configurations.parse(file, "--no-enable-attention-dp", "--run-type", "CTX");

        assertFalse(config.attentionDp());
        assertTrue(config.cudaGraph());
        assertEquals(RunType.CTX, config.runType());
        assertEquals(1, config.warmupTimes());
    }

    @Test
    void timesComeFromTheFileToo() {
        RunConfig config = Configurations.parse("quickstart.yaml");

        assertEquals(1, config.warmupTimes());
        assertEquals(5, config.runTimes());
    }

    @Test
    void productKeepsOrderAndDuplicatesWithTheRatioInnermost() {
        RunConfig config = gen("--batch-size=2,1", "--seq-len-q=1,1", "--balance-ratio=0.5,null", "--seq-len-kv=0");

        assertEquals(
                List.of(
                        problem(2, 0.5),
                        problem(2),
                        problem(2, 0.5),
                        problem(2),
                        problem(1, 0.5),
                        problem(1),
                        problem(1, 0.5),
                        problem(1)),
                config.problems());
    }

    @Test
    void namesDevicesAsTheOptionSpellsThem() {
        for (String device : List.of("auto", "cuda", "reference", "estimate:h100")) {
            assertEquals(device, gen("--device", device).device().toString());
        }
    }

    @Test
    void printsHelpInsteadOfRunning() {
        ByteArrayOutputStream help = new ByteArrayOutputStream();

        assertTrue(RunOptions.parse(
                        "layerwise run", List.of("--help"), new PrintStream(help, true, StandardCharsets.UTF_8))
                .isEmpty());

        String text = help.toString(StandardCharsets.UTF_8);
        assertTrue(text.startsWith("Usage: layerwise run"), text);
        for (RunOption option : RunOption.values()) {
            assertTrue(text.contains(option.flag()), option.flag());
        }
    }

    @Test
    void keepsLinesAndNumbersTheSameInEveryLocale() {
        Locale before = Locale.getDefault();
        String expected = gen("--balance-ratio", "0.5").argsLine();
        try {
            for (String tag : List.of("de-DE", "tr-TR", "ar-EG-u-nu-arab", "hi-IN-u-nu-deva")) {
                Locale.setDefault(Locale.forLanguageTag(tag));
                assertEquals(expected, gen("--balance-ratio", "0.5").argsLine(), tag);
            }
        } finally {
            Locale.setDefault(before);
        }
    }

    private RunConfig gen(String... options) {
        String file = Configurations.write(folder, Configurations.GEN).toString();
        String[] arguments = new String[options.length + 1];
        arguments[0] = file;
        System.arraycopy(options, 0, arguments, 1, options.length);
        return Configurations.parse(arguments);
    }

    private static ProblemSpec problem(int batchSize) {
        return new ProblemSpec(batchSize, 1, 0, OptionalDouble.empty());
    }

    private static ProblemSpec problem(int batchSize, double ratio) {
        return new ProblemSpec(batchSize, 1, 0, OptionalDouble.of(ratio));
    }
}
