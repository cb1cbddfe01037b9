package layerwise.bench.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** A configuration as named arguments, in option order; lists have the suffix {@code _list}, absent values are null. */
final class Arguments {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private Arguments() {}

    static String line(RunConfig config) {
        ObjectNode arguments = NODES.objectNode().put("config_path", config.configFile());
        arguments.setAll(traced(config));
        arguments.put("device", config.device().toString());
        arguments.put("check", config.check());
        arguments.put("sync_every_launch", config.syncEveryLaunch());
        return PythonText.call("Namespace", arguments);
    }

    static String json(RunConfig config) {
        return PythonText.json(traced(config));
    }

    /** What the arguments marker of a trace holds. */
    private static ObjectNode traced(RunConfig config) {
        Sweep sweep = config.sweep();
        ObjectNode arguments = NODES.objectNode();
        arguments.put("model", config.model());
        arguments.set("layer_indices", integers(config.layerIndices()));
        arguments.put("run_type", config.runType().toString());
        arguments.set("scaled_from", integer(config.scaledFrom()));
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
        arguments.set("moe_max_num_tokens", integer(config.moe().maxNumTokens()));
        arguments.put("use_low_precision_moe_combine", config.moe().lowPrecisionCombine());
        arguments.put("enable_autotuner", config.autotuner());
        arguments.put("use_cuda_graph", config.cudaGraph());
        arguments.set("batch_size_list", integers(sweep.batchSizes()));
        arguments.set("seq_len_q_list", integers(sweep.seqLensQ()));
        arguments.set("seq_len_kv_cache_list", integers(sweep.seqLensKvCache()));
        arguments.put("balance_method", config.balanceMethod().toString());
        arguments.set("balance_ratio_list", ratios(sweep));
        arguments.set("replay_file_path", text(config.replay().filePath()));
        arguments.set("replay_start_iter", integer(config.replay().startIter()));
        arguments.set("replay_stop_iter", integer(config.replay().stopIter()));
        arguments.put("replay_verify_metadata", config.replay().verifyMetadata());
        arguments.put("warmup_times", config.warmupTimes());
        arguments.put("run_times", config.runTimes());
        return arguments;
    }

    private static JsonNode integer(OptionalInt value) {
        return value.isPresent() ? NODES.numberNode(value.getAsInt()) : NODES.nullNode();
    }

    private static JsonNode text(Optional<String> value) {
        return value.isPresent() ? NODES.textNode(value.get()) : NODES.nullNode();
    }

    private static ArrayNode integers(List<Integer> values) {
        ArrayNode array = NODES.arrayNode();
        values.forEach(array::add);
        return array;
    }

    private static ArrayNode ratios(Sweep sweep) {
        ArrayNode array = NODES.arrayNode();
        sweep.balanceRatios()
                .forEach(ratio ->
                        array.add(ratio.isPresent() ? NODES.numberNode(ratio.getAsDouble()) : NODES.nullNode()));
        return array;
    }
}
