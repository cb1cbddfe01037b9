package layerwise.model.spec;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import layerwise.tensor.ConfigException;
import layerwise.tensor.NearestNames;

/** Typed access to one JSON object; every error names the file, the key and the value. */
final class JsonFields {
    private final String file;
    private final JsonNode object;

    JsonFields(String file, JsonNode object) {
        if (!object.isObject()) {
            throw new ConfigException("%s: expected a JSON object".formatted(file));
        }
        this.file = file;
        this.object = object;
    }

    String file() {
        return file;
    }

    boolean has(String key) {
        return object.hasNonNull(key);
    }

    /** Names of the keys, in file order. */
    List<String> keys() {
        List<String> keys = new ArrayList<>();
        object.fieldNames().forEachRemaining(keys::add);
        return keys;
    }

    private JsonNode required(String key) {
        if (!has(key)) {
            throw new ConfigException("%s: key '%s' is missing%s".formatted(file, key, NearestNames.hint(key, keys())));
        }
        return object.get(key);
    }

    private ConfigException wrong(String key, JsonNode value, String expected) {
        return new ConfigException("%s: %s: expected %s, got %s".formatted(file, key, expected, value));
    }

    int integer(String key) {
        JsonNode value = required(key);
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw wrong(key, value, "an integer");
        }
        return value.intValue();
    }

    int positive(String key) {
        int value = integer(key);
        if (value < 1) {
            throw wrong(key, object.get(key), "a positive integer");
        }
        return value;
    }

    int integer(String key, int otherwise) {
        return has(key) ? integer(key) : otherwise;
    }

    double number(String key) {
        JsonNode value = required(key);
        if (!value.isNumber()) {
            throw wrong(key, value, "a number");
        }
        return value.doubleValue();
    }

    double number(String key, double otherwise) {
        return has(key) ? number(key) : otherwise;
    }

    boolean flag(String key, boolean otherwise) {
        if (!has(key)) {
            return otherwise;
        }
        JsonNode value = object.get(key);
        if (!value.isBoolean()) {
            throw wrong(key, value, "true or false");
        }
        return value.booleanValue();
    }

    String text(String key) {
        JsonNode value = required(key);
        if (!value.isTextual()) {
            throw wrong(key, value, "a string");
        }
        return value.textValue();
    }

    String text(String key, String otherwise) {
        return has(key) ? text(key) : otherwise;
    }

    /** One of some words; the error names the nearest. */
    String choice(String key, List<String> choices) {
        String value = text(key);
        if (!choices.contains(value)) {
            throw new ConfigException("%s: %s: '%s' is not supported, expected one of %s%s"
                    .formatted(file, key, value, String.join(", ", choices), NearestNames.hint(value, choices)));
        }
        return value;
    }

    List<String> texts(String key) {
        List<String> values = new ArrayList<>();
        if (has(key)) {
            JsonNode list = object.get(key);
            if (!list.isArray()) {
                throw wrong(key, list, "a list of strings");
            }
            for (JsonNode value : list) {
                if (!value.isTextual()) {
                    throw wrong(key, value, "a string");
                }
                values.add(value.textValue());
            }
        }
        return values;
    }

    /** Two integers, as {@code weight_block_size} has them. */
    List<Integer> integers(String key) {
        List<Integer> values = new ArrayList<>();
        for (JsonNode value : required(key)) {
            if (!value.isIntegralNumber()) {
                throw wrong(key, value, "an integer");
            }
            values.add(value.intValue());
        }
        return values;
    }

    Optional<JsonFields> object(String key) {
        return has(key) ? Optional.of(new JsonFields(file + ": " + key, object.get(key))) : Optional.empty();
    }
}
