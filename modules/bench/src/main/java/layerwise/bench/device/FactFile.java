package layerwise.bench.device;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Path;
import layerwise.tensor.ConfigException;

/** YAML files of facts: reading them, and messages that name file, key and value. */
public final class FactFile {
    private FactFile() {}

    /** @throws ConfigException if the file cannot be read or is no YAML */
    public static JsonNode parse(Path file) {
        try {
            return YAMLMapper.builder()
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build()
                    .readTree(file.toFile());
        } catch (JacksonException e) {
            throw new ConfigException(
                    "%s: malformed YAML: %s"
                            .formatted(
                                    file,
                                    e.getOriginalMessage().lines().findFirst().orElse("")),
                    e);
        } catch (IOException e) {
            throw new ConfigException("%s: cannot be read: expected a YAML file".formatted(file), e);
        }
    }

    /**
     * The positive number at the end of a path of keys.
     *
     * @throws ConfigException if there is none
     */
    public static double positive(Path file, JsonNode facts, String... keys) {
        double number = number(file, facts, keys);
        if (!(number > 0)) {
            throw refused(file, "a positive number", value(facts, keys), keys);
        }
        return number;
    }

    /**
     * The number at the end of a path of keys.
     *
     * @throws ConfigException if there is none
     */
    public static double number(Path file, JsonNode facts, String... keys) {
        JsonNode value = value(facts, keys);
        // YAML 1.1 takes 3.35e12 without a sign in its exponent for a string.
        try {
            return Double.parseDouble(value.asText());
        } catch (NumberFormatException e) {
            throw new ConfigException(
                    "%s: %s: expected a number, got %s".formatted(file, String.join(".", keys), value), e);
        }
    }

    private static JsonNode value(JsonNode facts, String... keys) {
        JsonNode value = facts;
        for (String key : keys) {
            value = value.path(key);
        }
        return value;
    }

    private static ConfigException refused(Path file, String expected, JsonNode value, String... keys) {
        return new ConfigException(
                "%s: %s: expected %s, got %s".formatted(file, String.join(".", keys), expected, value));
    }
}
