package layerwise.bench.calibration;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import layerwise.bench.config.ResultFile;
import layerwise.tensor.ConfigException;
import layerwise.tensor.safetensors.RegularFile;

/**
 * A file of recorded expert choices, in the format of TensorRT-LLM's layer-wise benchmarks: {@code {"world_size": W,
 * "all_ranks_records": [[{"iteration", "metadata": [{"layer_idx", "num_slots", "token_selected_slots_shape": [tokens, topK]}],
 * "raw_data"}]]}}.
 *
 * @param ranks for each rank its iterations, in the order of the file
 */
record CalibrationFile(List<List<Iteration>> ranks) {
    /** Numbers of one iteration: what a Java array takes of bytes. */
    private static final long MOST_CHOICES = 1L << 28;

    private static final JsonMapper JSON = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxStringLength(Integer.MAX_VALUE)
                            .maxNestingDepth(16)
                            .build())
                    .build())
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    CalibrationFile {
        ranks = ranks.stream().map(List::copyOf).toList();
    }

    int worldSize() {
        return ranks.size();
    }

    /**
     * Reads a file.
     *
     * @throws ConfigException if it cannot be read or is damaged, naming the place in it
     */
    static CalibrationFile read(Path path) {
        JsonNode root = tree(path);
        int worldSize = integer(path.toString(), root, "world_size", 1);
        JsonNode all = array(path.toString(), root, "all_ranks_records");
        if (all.size() != worldSize) {
            throw new ConfigException("%s: all_ranks_records: %d ranks, expected %d as world_size says"
                    .formatted(path, all.size(), worldSize));
        }
        List<List<Iteration>> ranks = new ArrayList<>();
        for (int rank = 0; rank < worldSize; rank++) {
            String place = "%s: all_ranks_records[%d]".formatted(path, rank);
            if (!all.get(rank).isArray()) {
                throw new ConfigException("%s: expected an array of records".formatted(place));
            }
            List<Iteration> iterations = new ArrayList<>();
            Set<Integer> numbers = new HashSet<>();
            for (int i = 0; i < all.get(rank).size(); i++) {
                Iteration iteration =
                        iteration("%s[%d]".formatted(place, i), all.get(rank).get(i));
                if (!numbers.add(iteration.number())) {
                    throw new ConfigException("%s[%d]: iteration %d appears twice, expected each once"
                            .formatted(place, i, iteration.number()));
                }
                iterations.add(iteration);
            }
            ranks.add(iterations);
        }
        return new CalibrationFile(ranks);
    }

    private static JsonNode tree(Path path) {
        try {
            return JSON.readTree(Files.readAllBytes(RegularFile.require(path, "a calibration file")));
        } catch (JsonProcessingException e) {
            throw new ConfigException(
                    "%s: line %d: malformed JSON: %s"
                            .formatted(
                                    path,
                                    e.getLocation() == null
                                            ? 0
                                            : e.getLocation().getLineNr(),
                                    e.getOriginalMessage()),
                    e);
        } catch (IOException e) {
            throw new ConfigException("%s: cannot be read: %s".formatted(path, e), e);
        }
    }

    private static Iteration iteration(String place, JsonNode record) {
        List<ExpertCall> calls = new ArrayList<>();
        long size = 0;
        for (JsonNode call : array(place, record, "metadata")) {
            String at = "%s: metadata[%d]".formatted(place, calls.size());
            JsonNode shape = array(at, call, "token_selected_slots_shape");
            if (shape.size() != 2 || !isCount(shape.get(0)) || !isCount(shape.get(1))) {
                throw new ConfigException(
                        "%s: token_selected_slots_shape: expected [tokens, topK], got %s".formatted(at, shape));
            }
            ExpertCall read = new ExpertCall(
                    integer(at, call, "layer_idx", 0),
                    integer(at, call, "num_slots", 1),
                    shape.get(0).intValue(),
                    shape.get(1).intValue());
            calls.add(read);
            size += read.size();
            if (size > MOST_CHOICES) {
                throw new ConfigException(
                        "%s: token_selected_slots_shape: %s: expected at most %d numbers in an iteration"
                                .formatted(at, shape, MOST_CHOICES));
            }
        }
        JsonNode raw = record.path("raw_data");
        if (!raw.isTextual()) {
            throw new ConfigException("%s: raw_data: expected a string, got %s".formatted(place, raw.getNodeType()));
        }
        int[] slots;
        try {
            slots = SlotCodec.decode(raw.textValue(), size);
        } catch (IllegalArgumentException e) {
            throw new ConfigException("%s: raw_data: %s".formatted(place, e.getMessage()), e);
        }
        requireKnown(place, calls, slots);
        return new Iteration(integer(place, record, "iteration", 0), calls, slots);
    }

    private static void requireKnown(String place, List<ExpertCall> calls, int[] slots) {
        int at = 0;
        for (ExpertCall call : calls) {
            for (long i = 0; i < call.size(); i++, at++) {
                if (slots[at] < 0 || slots[at] >= call.slots()) {
                    throw new ConfigException("%s: raw_data: layer %d, token %d chose slot %d, expected 0 to %d"
                            .formatted(place, call.layer(), i / call.topK(), slots[at], call.slots() - 1));
                }
            }
        }
    }

    private static boolean isCount(JsonNode node) {
        return node.isIntegralNumber() && node.canConvertToInt() && node.intValue() >= 0;
    }

    private static int integer(String place, JsonNode object, String key, int least) {
        JsonNode value = object.path(key);
        if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < least) {
            throw new ConfigException(
                    "%s: %s: expected an integer of at least %d, got %s".formatted(place, key, least, shown(value)));
        }
        return value.intValue();
    }

    private static JsonNode array(String place, JsonNode object, String key) {
        JsonNode value = object.path(key);
        if (!value.isArray()) {
            throw new ConfigException("%s: %s: expected an array, got %s".formatted(place, key, shown(value)));
        }
        return value;
    }

    private static String shown(JsonNode value) {
        String text = value.isMissingNode() ? "nothing" : value.toString();
        return text.length() > 60 ? text.substring(0, 60) + "…" : text;
    }

    /** One rank's iterations as JSON, as they stand in the file. */
    static String records(List<Iteration> iterations) {
        ArrayNode records = JSON.createArrayNode();
        for (Iteration iteration : iterations) {
            ObjectNode record = records.addObject();
            record.put("iteration", iteration.number());
            ArrayNode metadata = record.putArray("metadata");
            for (ExpertCall call : iteration.calls()) {
                ObjectNode entry = metadata.addObject();
                entry.put("layer_idx", call.layer());
                entry.put("num_slots", call.slots());
                entry.putArray("token_selected_slots_shape").add(call.tokens()).add(call.topK());
            }
            record.put("raw_data", SlotCodec.encode(iteration.slots()));
        }
        return records.toString();
    }

    /**
     * Writes a file; it appears complete or not at all.
     *
     * @param ranks what {@link #records} makes of each rank's iterations
     */
    static void write(Path path, List<String> ranks) {
        String text = "{\"world_size\": %d, \"all_ranks_records\": [%s]}%n"
                .formatted(ranks.size(), String.join(",\n", ranks));
        ResultFile.write(path, text);
    }
}
