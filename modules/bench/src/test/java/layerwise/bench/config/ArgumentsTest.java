package layerwise.bench.config;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArgumentsTest {
    @Test
    void printsTheArgumentLineAsPythonDoes(@TempDir Path folder) {
        String file = Configurations.write(folder, Configurations.GEN).toString();

        RunConfig config = Configurations.parse(
                file, "--model", "it's", "--balance-ratio", "1,0.00001,null", "--device", "estimate:b200");

        assertEquals(
                "Namespace(config_path='" + file + "', model=\"it's\", layer_indices=[5], run_type='GEN', "
                        + "scaled_from=None, max_batch_size=2, tokens_per_block=32, max_seq_len=9, "
                        + "enable_attention_dp=False, kv_cache_dtype='auto', mamba_ssm_cache_dtype='auto', "
                        + "load_format='DUMMY', max_num_tokens=2, moe_backend='CUTLASS', "
                        + "moe_backend_for_prefill='CUTLASS', moe_max_num_tokens=None, "
                        + "use_low_precision_moe_combine=False, enable_autotuner=True, use_cuda_graph=False, "
                        + "batch_size_list=[2], seq_len_q_list=[1], seq_len_kv_cache_list=[8], "
                        + "balance_method='Balanced', balance_ratio_list=[1.0, 1e-05, None], replay_file_path=None, "
                        + "replay_start_iter=None, replay_stop_iter=None, replay_verify_metadata=False, "
                        + "warmup_times=20, run_times=100, device='estimate:b200', np=1, gpus_per_node=None, check=False, "
                        + "sync_every_launch=False)",
                config.argsLine());
    }

    @Test
    void escapesEverythingButAsciiInJson(@TempDir Path folder) {
        String file = Configurations.write(folder, Configurations.GEN).toString();

        String json = Configurations.parse(file, "--model", "é\"\\\n\u0001").argsJson();

        assertEquals(
                "{\"model\": \"\\u00e9\\\"\\\\\\n\\u0001\", \"layer_indices\": [5], ",
                json.substring(0, json.indexOf("\"run_type")));
    }
}
