package layerwise.bench.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import layerwise.tensor.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigErrorsTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            run_type: FOO              | run_type: expected one of CTX, GEN, found "FOO"
            run_type: gen              | run_type: expected one of CTX, GEN, found "gen"; nearest: GEN
            run_type: 5                | run_type: expected a string, found 5
            batch_size: []             | batch_size: expected at least one value, found an empty list
            batch_size: '2'        | batch_size: expected an integer or a list of integers, found "2"
            batch_size: true           | batch_size: expected an integer or a list of integers, found true
            batch_size: [1, 2.5]       | batch_size: expected an integer or a list of integers, found 2.5
            batch_size: {a: 1}         | batch_size: expected an integer or a list of integers, found {"a":1}
            batch_size: 0              | batch_size: expected an integer of at least 1, found "0"
            batch_size: 99999999999    | batch_size: expected an integer, found "99999999999"
            seq_len_kv_cache: -1       | seq_len_kv_cache: expected an integer of at least 0, found "-1"
            layer_indices: [5, 7]      | layer_indices must be contiguous and ascending, found [5, 7]; after 5 comes 6
            layer_indices: [6, 5]      | layer_indices must be contiguous and ascending, found [6, 5]; after 6 comes 7
            layer_indices: [-1]        | layer_indices: expected an integer of at least 0, found "-1"
            moe_backend: CUTLAS        | moe_backend: expected one of CUTLASS, TRTLLM, DEEPGEMM, WIDEEP, CUTEDSL, MARLIN, \
            VANILLA, found "CUTLAS"; nearest: CUTLASS, CUTEDSL
            balance_method: balanced   | balance_method: expected one of NotModified, Balanced, ImbalancedRanks, \
            ImbalancedExperts, found "balanced"; nearest: Balanced, ImbalancedRanks
            balance_method: ImbalancedRanks | balance_method ImbalancedRanks needs a number from 0 to 1 as balance_ratio, \
            found null; for example --balance-ratio 0.5
            balance_ratio: 1.5         | balance_ratio: expected a number from 0 to 1, or null, found "1.5"
            balance_ratio: -0.1        | balance_ratio: expected a number from 0 to 1, or null, found "-0.1"
            balance_ratio: half        | balance_ratio: expected a number, null or a list of these, found "half"
            kv_cache_dtype: nvfp4      | kv_cache_dtype: expected one of auto, fp8, found "nvfp4"
            enable_attention_dp: 1     | enable_attention_dp: expected true or false, found 1
            model: '  '            | model: expected the name or the folder of a model, found ""
            run_times: 0               | run_times: expected an integer of at least 1, found "0"
            max_batch_size: 1          | batch_size 2 exceeds max_batch_size 1; expected max_batch_size of at least 2
            max_seq_len: 8             | seq_len_q 1 plus seq_len_kv_cache 8 exceeds max_seq_len 8; expected max_seq_len \
            of at least 9
            max_num_tokens: 1          | batch_size 2 times seq_len_q 1 exceeds max_num_tokens 1; expected max_num_tokens \
            of at least 2
            batch_size_list: 1         | Config batch_size_list from file are not options; nearest: batch_size
            device: cuda13             | device: expected one of auto, cuda, reference, estimate:<gpu>, found "cuda13"; \
            nearest: cuda
            replay_start_iter: 3       | Both --replay-start-iter and --replay-stop-iter must be provided or none
            """)
    void namesFileKeyValueAndWhatWasExpected(String line, String message) {
        assertEquals(
                "gen.yaml: " + message,
                messageOf(replaced(line)).replace(folder.resolve("gen.yaml").toString(), "gen.yaml"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --run-type FOO                | --run-type: expected one of CTX, GEN, found "FOO"
            --batch-size 1,two            | --batch-size: expected an integer, found "two"
            --batch-size 1,               | --batch-size: expected an integer, found ""
            --balance-ratio nan           | --balance-ratio: expected a number from 0 to 1, or null, found "nan"
            --modle x                     | command line: --modle is not an option; nearest: --model
            --no-check --check            | command line: --check and --no-check exclude each other
            --enable-autotuner --no-enable-autotuner | command line: --enable-autotuner and --no-enable-autotuner \
            exclude each other
            second.yaml                   | command line: expected one CONFIG, found also "second.yaml"
            --device estimate:            | --device: expected one of auto, cuda, reference, estimate:<gpu>, found \
            "estimate:"; nearest: estimate:<gpu>
            """)
    void namesTheOptionWhereTheCommandLineIsWrong(String options, String message) {
        assertEquals(message, messageOf(Configurations.GEN, options.split(" ")));
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
            --seq-len 1
            --max 1
            --model
            --moe-b CUTLASS
            --check=maybe
            """)
    void refusesAmbiguousAndIncompleteOptionsInOneLine(String options) {
        String message = messageOf(Configurations.GEN, options.split(" "));

        assertTrue(message.startsWith("command line: ") && message.lines().count() == 1, message);
    }

    @Test
    void saysWhereARequiredOptionCanBeGiven() {
        assertTrue(
                messageOf(Configurations.GEN.replace("run_type: GEN\n", ""))
                        .endsWith(
                                "gen.yaml: run_type is missing: give it there or as --run-type (CTX (prefill) or GEN (decode))"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            model: twice                  | Duplicate field 'model'
            moe_backend_for_prefill: [    | not valid YAML
            --- {}                        | not valid YAML
            """)
    void namesTheLineOfBrokenYaml(String line, String part) {
        String message = messageOf(Configurations.GEN + line + "\n");

        assertTrue(message.contains(part) && message.matches(".*gen\\.yaml:1[0-9]: .*"), message);
    }

    @Test
    void refusesFilesThatAreNoMapping() {
        for (String text : new String[] {"", "- 1\n", "null", "just words"}) {
            assertTrue(messageOf(text).endsWith("gen.yaml: expected a mapping of option keys to values"), text);
        }
    }

    @Test
    void refusesABinaryFile() throws IOException {
        Path file = Files.write(folder.resolve("b.yaml"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});

        ConfigException e = assertThrows(ConfigException.class, () -> Configurations.parse(file.toString()));
        assertEquals(file + ": not a UTF-8 text file", e.getMessage());
    }

    @Test
    void namesTheNearestShippedFile() {
        ConfigException e = assertThrows(ConfigException.class, () -> Configurations.parse("config_gn.yaml"));

        assertEquals(
                "\"config_gn.yaml\": no such configuration file; nearest: config_gen.yaml, config_ctx.yaml",
                e.getMessage());
    }

    @Test
    void allowsDecodeWithoutAnyCachedToken() {
        RunConfig config = Configurations.parse(
                Configurations.write(folder, Configurations.GEN).toString(), "--seq-len-kv-cache", "0");

        assertEquals(1, config.limits().maxSeqLen());
    }

    /** {@link Configurations#GEN} with the line of the same key replaced, or with one more line. */
    private static String replaced(String line) {
        String key = line.substring(0, line.indexOf(':') + 1);
        return Configurations.GEN.replaceAll("(?m)^" + key + ".*\n", "") + line + "\n";
    }

    private String messageOf(String yaml, String... options) {
        String[] arguments = new String[options.length + 1];
        arguments[0] = Configurations.write(folder, yaml).toString();
        System.arraycopy(options, 0, arguments, 1, options.length);
        return assertThrows(ConfigException.class, () -> Configurations.parse(arguments))
                .getMessage();
    }
}
