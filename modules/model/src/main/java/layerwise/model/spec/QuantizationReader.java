package layerwise.model.spec;

import java.util.List;
import java.util.Optional;
import layerwise.op.ScaleFormat;
import layerwise.op.WeightFormat;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;

/** Reads the two places where checkpoints describe their quantisation. */
final class QuantizationReader {
    private QuantizationReader() {}

    /** From {@code config.json}'s {@code quantization_config}, or {@code hf_quant_config.json} where there is one. */
    static Quantization read(JsonFields config, Optional<JsonFields> modelOpt) {
        if (modelOpt.isPresent()) {
            JsonFields quantization = modelOpt.get()
                    .object("quantization")
                    .orElseThrow(() -> new ConfigException(modelOpt.get().file() + ": key 'quantization' is missing"));
            return modelOpt(quantization, "exclude_modules", quantization.text("kv_cache_quant_algo", "NONE"));
        }
        return config.object("quantization_config")
                .map(QuantizationReader::inConfig)
                .orElse(Quantization.none());
    }

    private static Quantization inConfig(JsonFields fields) {
        return switch (fields.choice("quant_method", List.of("fp8", "modelopt"))) {
            case "fp8" -> blockScaledFp8(fields);
            default ->
                modelOpt(fields, "ignore", fields.object("kv_cache_scheme").isPresent() ? "FP8" : "NONE");
        };
    }

    private static Quantization blockScaledFp8(JsonFields fields) {
        if (!fields.integers("weight_block_size").equals(List.of(128, 128))) {
            throw new ConfigException("%s: weight_block_size: expected [128, 128], got %s"
                    .formatted(fields.file(), fields.integers("weight_block_size")));
        }
        List<String> excluded = fields.texts("modules_to_not_convert");
        return new Quantization(Optional.of(WeightFormat.FP8_BLOCK), activations(fields), excluded, Optional.empty());
    }

    private static ScaleFormat activations(JsonFields fields) {
        if (!fields.has("scale_fmt")) {
            return ScaleFormat.FLOAT32;
        }
        fields.choice("scale_fmt", List.of("ue8m0"));
        return ScaleFormat.UE8M0;
    }

    private static Quantization modelOpt(JsonFields fields, String excludeKey, String cache) {
        fields.choice("quant_algo", List.of("NVFP4"));
        if (fields.integer("group_size", 16) != 16) {
            throw new ConfigException(
                    "%s: group_size: expected 16, got %d".formatted(fields.file(), fields.integer("group_size")));
        }
        Optional<DType> kvCache = switch (cache) {
            case "FP8" -> Optional.of(DType.E4M3);
            case "NONE" -> Optional.empty();
            default ->
                throw new ConfigException("%s: kv_cache_quant_algo: '%s' is not supported, expected FP8 or NONE"
                        .formatted(fields.file(), cache));
        };
        return new Quantization(
                Optional.of(WeightFormat.NVFP4), ScaleFormat.FLOAT32, fields.texts(excludeKey), kvCache);
    }
}
