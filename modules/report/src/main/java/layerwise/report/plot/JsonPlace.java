package layerwise.report.plot;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import layerwise.trace.TraceException;

/**
 * A value in a JSON file and where it stands, so that a wrong one can be named.
 *
 * @param name keys from the root, as in {@code operators[3].batch_size}; empty for the root
 */
record JsonPlace(Path file, String name, JsonNode node) {
    /** @throws TraceException if there is no such file, or no JSON in it */
    static JsonPlace root(Path file) {
        try {
            return new JsonPlace(file, "", JsonMapper.builder().build().readTree(Files.readString(file)));
        } catch (NoSuchFileException e) {
            throw new TraceException(file + ": no such file", e);
        } catch (JsonProcessingException e) {
            throw new TraceException(
                    file + ": is not JSON, line " + e.getLocation().getLineNr() + ": " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new TraceException(file + ": cannot be read: " + e, e);
        }
    }

    /** @throws TraceException if it has no such key */
    JsonPlace at(String key) {
        return find(key).orElseThrow(() -> {
            List<String> known = new ArrayList<>();
            node.fieldNames().forEachRemaining(known::add);
            return new TraceException(file + ": " + path(key) + " is missing" + NearestName.hint(key, known));
        });
    }

    Optional<JsonPlace> find(String key) {
        return Optional.ofNullable(node.get(key)).map(value -> new JsonPlace(file, path(key), value));
    }

    private String path(String key) {
        return name.isEmpty() ? key : name + "." + key;
    }

    /** @throws TraceException if it is no array, or an empty one */
    List<JsonPlace> elements() {
        if (!node.isArray() || node.isEmpty()) {
            throw wrong("an array with elements");
        }
        List<JsonPlace> elements = new ArrayList<>();
        for (JsonNode element : node) {
            elements.add(new JsonPlace(file, name + "[" + elements.size() + "]", element));
        }
        return elements;
    }

    /** @throws TraceException if it is no text */
    String text() {
        if (!node.isTextual()) {
            throw wrong("a text");
        }
        return node.textValue();
    }

    /** @throws TraceException if it is no whole number or below the least */
    int count(int least) {
        if (!node.canConvertToInt() || !node.isIntegralNumber() || node.intValue() < least) {
            throw wrong("a whole number, " + least + " or more");
        }
        return node.intValue();
    }

    /** @throws TraceException if it is no number or not above 0 */
    double positive() {
        if (!(number() > 0)) {
            throw wrong("a number above 0");
        }
        return number();
    }

    /** @throws TraceException if it is no number */
    double number() {
        if (!node.isNumber() || Double.isInfinite(node.doubleValue())) {
            throw wrong("a number");
        }
        return node.doubleValue();
    }

    private TraceException wrong(String expected) {
        String value = node.isContainerNode() ? (node.isArray() ? "an array" : "an object") : node.toString();
        return new TraceException(file + ": " + name + " is " + value + "; expected " + expected);
    }
}
