package layerwise.bench.quantize;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import layerwise.model.spec.ModelCatalog;
import layerwise.tensor.ConfigException;
import layerwise.tensor.safetensors.RegularFile;

/**
 * The files that describe a checkpoint.
 *
 * @param config   {@code config.json}
 * @param modelOpt {@code hf_quant_config.json}, where there is one
 */
record ConfigFiles(ObjectNode config, Optional<ObjectNode> modelOpt) {
    private static final String CONFIG = "config.json";
    private static final String MODEL_OPT = "hf_quant_config.json";
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** Those of a folder, or of a model that is shipped. */
    static ConfigFiles read(String model, ModelCatalog catalog) {
        Path folder = Path.of(model);
        if (Files.isDirectory(folder)) {
            Path modelOpt = folder.resolve(MODEL_OPT);
            return new ConfigFiles(
                    object(folder.resolve(CONFIG)),
                    Files.exists(modelOpt) ? Optional.of(object(modelOpt)) : Optional.empty());
        }
        ObjectNode shipped = object(catalog.file(model));
        return new ConfigFiles(
                shipped.withObject("/config"),
                shipped.has("hf_quant_config")
                        ? Optional.of(shipped.withObject("/hf_quant_config"))
                        : Optional.empty());
    }

    private static ObjectNode object(Path file) {
        try {
            if (JSON.readTree(Files.readAllBytes(RegularFile.require(file, "a model's JSON file")))
                    instanceof ObjectNode object) {
                return object;
            }
            throw new ConfigException("%s: expected a JSON object".formatted(file));
        } catch (IOException e) {
            throw new ConfigException("%s: cannot be read: %s".formatted(file, e.getMessage()), e);
        }
    }

    /**
     * The same model in another format.
     *
     * @param excluded modules that stay plain; empty for the model's own where it is in this format already, else the format's
     */
    ConfigFiles as(Format format, Optional<List<String>> excluded) {
        ObjectNode described = config.deepCopy();
        described.remove("quantization_config");
        return switch (format) {
            case BF16 -> new ConfigFiles(described, Optional.empty());
            case FP8 -> {
                ObjectNode fp8 = described.putObject("quantization_config");
                fp8.put("quant_method", "fp8").put("fmt", "e4m3").put("activation_scheme", "dynamic");
                fp8.putArray("weight_block_size").add(128).add(128);
                Optional.ofNullable(config.path("quantization_config").get("scale_fmt"))
                        .ifPresent(scales -> fp8.set("scale_fmt", scales));
                fill(fp8.putArray("modules_to_not_convert"), excluded.orElse(format.excluded()));
                yield new ConfigFiles(described, Optional.empty());
            }
            case NVFP4 -> {
                if (modelOpt.isPresent() && excluded.isEmpty()) {
                    yield new ConfigFiles(described, modelOpt);
                }
                ObjectNode file = JSON.createObjectNode();
                file.putObject("producer").put("name", "layerwise");
                ObjectNode quantization = file.putObject("quantization");
                quantization.put("quant_algo", "NVFP4").put("group_size", 16);
                modelOpt.map(own -> own.path("quantization").path("kv_cache_quant_algo"))
                        .filter(JsonNode::isTextual)
                        .ifPresent(cache -> quantization.set("kv_cache_quant_algo", cache));
                fill(quantization.putArray("exclude_modules"), excluded.orElse(format.excluded()));
                yield new ConfigFiles(described, Optional.of(file));
            }
        };
    }

    private static void fill(ArrayNode array, List<String> texts) {
        texts.forEach(array::add);
    }

    void write(Path folder) {
        write(folder.resolve(CONFIG), config);
        modelOpt.ifPresent(file -> write(folder.resolve(MODEL_OPT), file));
    }

    static void write(Path file, ObjectNode object) {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Files.writeString(file, object.toPrettyString() + "\n");
        } catch (IOException e) {
            throw new ConfigException("%s: cannot be written: %s".formatted(file, e), e);
        }
    }

    static ObjectNode newObject() {
        return JSON.createObjectNode();
    }
}
