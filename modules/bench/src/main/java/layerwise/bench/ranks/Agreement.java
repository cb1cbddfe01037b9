package layerwise.bench.ranks;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import layerwise.op.Rendezvous;
import layerwise.tensor.ConfigException;

/** Whether ranks run the same thing: they would wait for each other forever, or measure nonsense, if they did not. */
public final class Agreement {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Agreement() {}

    /**
     * Compares what every rank runs with what rank 0 runs.
     *
     * @param settings values by key: strings, numbers, booleans, lists of these, nulls
     * @throws ConfigException on every rank, if they differ; names the first rank and key that do, and both values
     */
    public static void require(Rendezvous rendezvous, Map<String, Object> settings) {
        List<byte[]> all = rendezvous.allGather(encode(settings));
        Map<String, Object> first = decode(all.getFirst());
        for (int rank = 1; rank < all.size(); rank++) {
            Map<String, Object> other = decode(all.get(rank));
            Set<String> keys = new LinkedHashSet<>(first.keySet());
            keys.addAll(other.keySet());
            for (String key : keys) {
                String expected = text(first, key);
                String found = text(other, key);
                if (!expected.equals(found)) {
                    throw new ConfigException("%s: rank %d has %s, rank 0 has %s: expected the same on every rank"
                            .formatted(key, rank, found, expected));
                }
            }
        }
    }

    private static String text(Map<String, Object> settings, String key) {
        try {
            return settings.containsKey(key) ? JSON.writeValueAsString(settings.get(key)) : "nothing";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("no JSON: " + settings.get(key), e);
        }
    }

    private static byte[] encode(Map<String, Object> settings) {
        try {
            return JSON.writeValueAsString(new TreeMap<>(settings)).getBytes(StandardCharsets.UTF_8);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("no JSON: " + settings, e);
        }
    }

    private static Map<String, Object> decode(byte[] message) {
        try {
            return JSON.readValue(new String(message, StandardCharsets.UTF_8), new TypeReference<>() {});
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("not what a rank sends", e);
        }
    }
}
