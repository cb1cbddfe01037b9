package layerwise.model.spec;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;
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
        if (!value.isNumber() || !Double.isFinite(value.doubleValue())) {
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

    /** Integers of a list, none where the key is absent. */
    List<Integer> integersOrNone(String key) {
        return has(key) ? integers(key) : List.of();
    }

    /** Refuses a flag that is set, where models of this type never have it so. */
    void requireUnset(String key) {
        if (flag(key, false)) {
            throw wrong(key, object.get(key), "false");
        }
    }

    /**
     * Refuses limits {@code [low, high]} that limit something: any but zero and infinity, which is {@code Infinity} or, as
     * transformers 5 writes it, {@code {"__float__": "Infinity"}}.
     */
    void requireUnlimited(String key) {
        if (!has(key)) {
            return;
        }
        JsonNode limits = object.get(key);
        JsonNode high = limits.path(1);
        boolean infinite = high.doubleValue() == Double.POSITIVE_INFINITY
                || high.path("__float__").asText().equals("Infinity");
        boolean open =
                limits.size() == 2 && limits.get(0).isNumber() && limits.get(0).doubleValue() <= 0 && infinite;
        if (!open) {
            throw wrong(key, limits, "[0.0, Infinity]");
        }
    }

    /** Element type of activations and of weights that are not quantised: bfloat16 where nothing is said. */
    DType modelDtype() {
        String key = has("dtype") ? "dtype" : "torch_dtype";
        if (!has(key)) {
            return DType.BF16;
        }
        return switch (choice(key, List.of("bfloat16", "float32"))) {
            case "float32" -> DType.F32;
            default -> DType.BF16;
        };
    }

    Optional<JsonFields> object(String key) {
        return has(key) ? Optional.of(new JsonFields(file + ": " + key, object.get(key))) : Optional.empty();
    }
}
