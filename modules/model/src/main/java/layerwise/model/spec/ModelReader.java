package layerwise.model.spec;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import layerwise.tensor.ConfigException;
import layerwise.tensor.safetensors.RegularFile;

/** Reads a model's architecture from a checkpoint folder or from one of the files shipped in {@code configs/models}. */
public final class ModelReader {
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            // Python writes Infinity, and time_step_limit has it.
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private ModelReader() {}

    /**
     * The architecture that a checkpoint folder's {@code config.json} and {@code hf_quant_config.json} describe.
     *
     * @throws ConfigException if a file is missing, malformed or describes something that is not supported
     */
    public static ModelSpec fromFolder(String name, Path folder) {
        Path config = folder.resolve("config.json");
        Path modelOpt = folder.resolve("hf_quant_config.json");
        return read(
                name,
                new JsonFields(config.toString(), parse(config)),
                Files.exists(modelOpt)
                        ? Optional.of(new JsonFields(modelOpt.toString(), parse(modelOpt)))
                        : Optional.empty());
    }

    /** The architecture in a shipped file: {@code name}, {@code source}, {@code config}, {@code hf_quant_config}. */
    static ModelSpec fromShipped(Path file) {
        JsonFields shipped = new JsonFields(file.toString(), parse(file));
        JsonFields config =
                shipped.object("config").orElseThrow(() -> new ConfigException(file + ": key 'config' is missing"));
        return read(shipped.text("name"), config, shipped.object("hf_quant_config"));
    }

    /** The name under which a shipped file is found. */
    static String shippedName(Path file) {
        return new JsonFields(file.toString(), parse(file)).text("name");
    }

    private static ModelSpec read(String name, JsonFields config, Optional<JsonFields> modelOpt) {
        Quantization quantization = QuantizationReader.read(config, modelOpt);
        return switch (config.choice(
                "model_type", List.of("deepseek_v3", "deepseek_v32", "nemotron_h", "qwen3_next"))) {
            case "deepseek_v32" -> DeepseekV3Reader.readSparse(name, config, quantization);
            case "nemotron_h" -> NemotronHReader.read(name, config, quantization);
            case "qwen3_next" -> Qwen3NextReader.read(name, config, quantization);
            default -> DeepseekV3Reader.read(name, config, quantization);
        };
    }

    private static JsonNode parse(Path file) {
        try {
            return JSON.readTree(Files.readAllBytes(RegularFile.require(file, "a model's JSON file")));
        } catch (JsonProcessingException e) {
            throw new ConfigException(
                    "%s: line %d: malformed JSON: %s"
                            .formatted(
                                    file,
                                    e.getLocation() == null
                                            ? 0
                                            : e.getLocation().getLineNr(),
                                    e.getOriginalMessage().lines().findFirst().orElse("")),
                    e);
        } catch (IOException e) {
            throw new ConfigException("%s: cannot be read: expected a model's JSON file".formatted(file), e);
        }
    }
}
