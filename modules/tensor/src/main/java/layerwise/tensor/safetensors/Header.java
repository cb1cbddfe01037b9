package layerwise.tensor.safetensors;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import layerwise.tensor.ConfigException;
import layerwise.tensor.NearestNames;
import layerwise.tensor.Shape;

/**
 * What a safetensors file says about itself: tensors in the order of the header, and free text.
 *
 * @param tensors  name to type, shape and place
 * @param metadata the {@code __metadata__} object, empty where there is none
 */
record Header(Map<String, Entry> tensors, Map<String, String> metadata) {
    static final String METADATA = "__metadata__";

    private static final Set<String> KEYS = Set.of("dtype", "shape", "data_offsets");

    /**
     * One tensor.
     *
     * @param begin first byte, counted from the end of the header
     * @param end   byte after the last
     */
    record Entry(FileType type, Shape shape, long begin, long end) {}

    /** Parses the header of {@code file}, whose data take {@code dataBytes}, and holds it against them. */
    static Header parse(Path file, byte[] utf8, long dataBytes) {
        if (utf8.length == 0 || utf8[0] != '{') {
            throw new ConfigException("%s: header does not begin with '{': not a safetensors file".formatted(file));
        }
        Map<String, Entry> tensors = new LinkedHashMap<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        try (StrictJson json = StrictJson.open(file, "header", utf8)) {
            var _ = json.document(name -> {
                if (name.equals(METADATA)) {
                    metadata.putAll(json.object(METADATA, json::string));
                } else {
                    tensors.put(name, entry(file, json, name));
                }
                return name;
            });
        }
        rejectGaps(file, tensors, dataBytes);
        return new Header(tensors, metadata);
    }

    private static Entry entry(Path file, StrictJson json, String name) throws IOException {
        String tensor = "tensor '" + name + "'";
        Map<String, Object> fields = json.object(tensor, key -> switch (key) {
            case "dtype" -> type(file, tensor, json.string(tensor + ": dtype"));
            case "shape" -> Shape.of(json.sizes(tensor + ": shape"));
            case "data_offsets" -> json.sizes(tensor + ": data_offsets");
            default ->
                throw new ConfigException("%s: %s has the key '%s', expected dtype, shape and data_offsets%s"
                        .formatted(file, tensor, key, NearestNames.hint(key, KEYS)));
        });
        if (fields.get("dtype") instanceof FileType type
                && fields.get("shape") instanceof Shape shape
                && fields.get("data_offsets") instanceof long[] offsets) {
            if (offsets.length != 2 || offsets[0] > offsets[1]) {
                throw new ConfigException("%s: %s has data_offsets %s, expected [begin,end] with begin <= end"
                        .formatted(file, tensor, Arrays.toString(offsets)));
            }
            rejectWrongSize(file, tensor, type, shape, offsets[1] - offsets[0]);
            return new Entry(type, shape, offsets[0], offsets[1]);
        }
        throw new ConfigException("%s: %s has only the keys %s, expected dtype, shape and data_offsets"
                .formatted(file, tensor, fields.keySet()));
    }

    private static FileType type(Path file, String tensor, String name) {
        return FileType.named(name).orElseThrow(() -> {
            List<String> known =
                    Arrays.stream(FileType.values()).map(FileType::name).toList();
            return new ConfigException("%s: %s has dtype '%s', expected one of %s%s"
                    .formatted(file, tensor, name, String.join(" ", known), NearestNames.hint(name, known)));
        });
    }

    private static void rejectWrongSize(Path file, String tensor, FileType type, Shape shape, long bytes) {
        String expected;
        try {
            long bits = Math.multiplyExact(shape.elements(), type.bits());
            if (bits % 8 == 0 && bits / 8 == bytes) {
                return;
            }
            expected = bits % 8 == 0 ? bits / 8 + " bytes" : "whole bytes";
        } catch (ArithmeticException e) {
            expected = "a shape that fits into 63 bits";
        }
        throw new ConfigException(
                "%s: %s is %s %s over %s bytes, expected %s".formatted(file, tensor, type, shape, bytes, expected));
    }

    /** The data must be covered without holes or overlaps from the first byte to the last. */
    private static void rejectGaps(Path file, Map<String, Entry> tensors, long dataBytes) {
        var byPlace = tensors.entrySet().stream()
                .sorted(Comparator.<Map.Entry<String, Entry>>comparingLong(e -> e.getValue().begin)
                        .thenComparingLong(e -> e.getValue().end))
                .toList();
        long covered = 0;
        for (Map.Entry<String, Entry> named : byPlace) {
            Entry entry = named.getValue();
            if (entry.end > dataBytes) {
                throw new ConfigException("%s of the data, which end at %s: the file is truncated or its header wrong"
                        .formatted(place(file, named), dataBytes));
            }
            if (entry.begin != covered) {
                throw new ConfigException("%s of the data, expected it to begin at %s: %s"
                        .formatted(
                                place(file, named),
                                covered,
                                entry.begin < covered ? "it overlaps the one before" : "no tensor fills the hole"));
            }
            covered = entry.end;
        }
        if (covered != dataBytes) {
            throw new ConfigException("%s: data are %s bytes, expected %s: %s bytes after the last tensor"
                    .formatted(file, dataBytes, covered, dataBytes - covered));
        }
    }

    private static String place(Path file, Map.Entry<String, Entry> named) {
        return "%s: tensor '%s' is bytes [%s,%s)"
                .formatted(
                        file,
                        named.getKey(),
                        named.getValue().begin(),
                        named.getValue().end());
    }
}
