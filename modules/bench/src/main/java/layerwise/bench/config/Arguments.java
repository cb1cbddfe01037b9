package layerwise.bench.config;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import layerwise.trace.Markers;

/** A configuration as named arguments, in option order; lists have the suffix {@code _list}, absent values are null. */
final class Arguments {
    private Arguments() {}

    /** What the arguments marker of a trace holds: all but the file's name and where and how the layers run. */
    static Map<String, Object> traced(RunConfig config) {
        Sweep sweep = config.sweep();
        Map<String, Object> arguments = new LinkedHashMap<>();
        arguments.put("model", config.model());
        arguments.put("layer_indices", config.layerIndices());
        arguments.put("run_type", config.runType().toString());
        arguments.put("scaled_from", orNull(config.scaledFrom()));
        arguments.put("max_batch_size", config.limits().maxBatchSize());
        arguments.put("tokens_per_block", config.limits().tokensPerBlock());
        arguments.put("max_seq_len", config.limits().maxSeqLen());
        arguments.put("enable_attention_dp", config.attentionDp());
        arguments.put("kv_cache_dtype", config.kvCacheDtype().toString());
        arguments.put("mamba_ssm_cache_dtype", config.ssmCacheDtype().toString());
        arguments.put("load_format", config.loadFormat().toString());
        arguments.put("max_num_tokens", config.limits().maxNumTokens());
        arguments.put("moe_backend", config.moe().backend().toString());
        arguments.put(
                "moe_backend_for_prefill", config.moe().backendForPrefill().toString());
        arguments.put("moe_max_num_tokens", orNull(config.moe().maxNumTokens()));
        arguments.put("use_low_precision_moe_combine", config.moe().lowPrecisionCombine());
        arguments.put("enable_autotuner", config.autotuner());
        arguments.put("use_cuda_graph", config.cudaGraph());
        arguments.put("batch_size_list", sweep.batchSizes());
        arguments.put("seq_len_q_list", sweep.seqLensQ());
        arguments.put("seq_len_kv_cache_list", sweep.seqLensKvCache());
        arguments.put("balance_method", config.balanceMethod().toString());
        arguments.put("balance_ratio_list", orNulls(sweep.balanceRatios()));
        arguments.put("replay_file_path", config.replay().filePath().orElse(null));
        arguments.put("replay_start_iter", orNull(config.replay().startIter()));
        arguments.put("replay_stop_iter", orNull(config.replay().stopIter()));
        arguments.put("replay_verify_metadata", config.replay().verifyMetadata());
        arguments.put("warmup_times", config.warmupTimes());
        arguments.put("run_times", config.runTimes());
        if (config.calibration().mode() != CalibrationMode.NONE) {
            arguments.put("calibration_mode", config.calibration().mode().toString());
            arguments.put(
                    "calibration_file_path", config.calibration().filePath().orElse(null));
        }
        if (config.shareGpu()) {
            arguments.put(Markers.SHARE_GPU, true);
        }
        return Collections.unmodifiableMap(arguments);
    }

    static Map<String, Object> all(RunConfig config) {
        Map<String, Object> arguments = new LinkedHashMap<>();
        arguments.put("config_path", config.configFile());
        arguments.putAll(traced(config));
        arguments.put("device", config.device().toString());
        if (config.device() instanceof DeviceChoice.Estimate estimate) {
            arguments.put("np", estimate.ranks());
            arguments.put("gpus_per_node", orNull(estimate.gpusPerNode()));
        }
        arguments.put("check", config.check());
        arguments.put("sync_every_launch", config.syncEveryLaunch());
        return arguments;
    }

    private static Integer orNull(OptionalInt value) {
        return value.isPresent() ? value.getAsInt() : null;
    }

    private static List<Double> orNulls(List<OptionalDouble> values) {
        List<Double> list = new ArrayList<>();
        values.forEach(value -> list.add(value.isPresent() ? value.getAsDouble() : null));
        return list;
    }
}
