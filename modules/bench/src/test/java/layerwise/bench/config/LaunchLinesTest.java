package layerwise.bench.config;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.stream.Stream;
import layerwise.bench.launch.LaunchLine;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LaunchLinesTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private static final String CTX = """
            {"model": "nvidia/DeepSeek-R1-0528-FP4-v2", "layer_indices": [5], "run_type": "CTX", "scaled_from": null, \
            "max_batch_size": 1, "tokens_per_block": 32, "max_seq_len": 8193, "enable_attention_dp": true, \
            "kv_cache_dtype": "auto", "mamba_ssm_cache_dtype": "auto", "load_format": "DUMMY", \
            "max_num_tokens": 8193, "moe_backend": "CUTLASS", "moe_backend_for_prefill": "CUTLASS", \
            "moe_max_num_tokens": null, "use_low_precision_moe_combine": false, "enable_autotuner": true, \
            "use_cuda_graph": false, "batch_size_list": [1], "seq_len_q_list": [8193], "seq_len_kv_cache_list": [0], \
            "balance_method": "Balanced", "balance_ratio_list": [null], "replay_file_path": null, \
            "replay_start_iter": null, "replay_stop_iter": null, "replay_verify_metadata": false, \
            "warmup_times": 20, "run_times": 100}""";

    private static final String GEN = """
            {"model": "nvidia/DeepSeek-R1-0528-FP4-v2", "layer_indices": [5], "run_type": "GEN", "scaled_from": null, \
            "max_batch_size": 128, "tokens_per_block": 32, "max_seq_len": 8194, "enable_attention_dp": true, \
            "kv_cache_dtype": "auto", "mamba_ssm_cache_dtype": "auto", "load_format": "DUMMY", \
            "max_num_tokens": 128, "moe_backend": "CUTLASS", "moe_backend_for_prefill": "CUTLASS", \
            "moe_max_num_tokens": null, "use_low_precision_moe_combine": false, "enable_autotuner": true, \
            "use_cuda_graph": true, "batch_size_list": [128], "seq_len_q_list": [1], "seq_len_kv_cache_list": [8193], \
            "balance_method": "Balanced", "balance_ratio_list": [null], "replay_file_path": null, \
            "replay_start_iter": null, "replay_stop_iter": null, "replay_verify_metadata": false, \
            "warmup_times": 20, "run_times": 100}""";

    static Stream<LaunchLine> benchmarkLines() {
        return LaunchLine.all().stream().filter(line -> line.argv().contains("./run.sh"));
    }

    @ParameterizedTest
    @MethodSource("benchmarkLines")
    void resolvesToTheExpectedArguments(LaunchLine line) throws JsonProcessingException {
        List<String> arguments = line.argv()
                .subList(line.argv().indexOf("./run.sh") + 1, line.argv().size());

        RunConfig config = Configurations.parse(arguments.toArray(String[]::new));

        ObjectNode expected = (ObjectNode) MAPPER.readTree(arguments.getFirst().contains("ctx") ? CTX : GEN);
        for (String difference : line.differences()) {
            String[] keyAndValue = difference.split(" ", 2);
            expected.replace(keyAndValue[0], MAPPER.readTree(keyAndValue[1]));
        }
        assertEquals(expected, MAPPER.readTree(config.argsJson()));
    }

    @ParameterizedTest
    @MethodSource("shipped")
    void writesTheMarkerOfShippedFilesByteForByte(String file, String json) {
        assertEquals(json, Configurations.parse(file).argsJson());
    }

    static Stream<Object[]> shipped() {
        return Stream.of(new Object[] {"config_ctx.yaml", CTX}, new Object[] {"config_gen.yaml", GEN});
    }
}
