package layerwise.op;

import java.util.ArrayList;
import java.util.List;

/**
 * Writes each token's keys and values into the paged cache, at the token's position in its sequence.
 *
 * @param key   {@code [T,G,D]}
 * @param value {@code [T,G,D]}
 * @param cache {@code [pages, 2, G, pageTokens, D]}, keys first; E4M3 is rounded with scale 1
 */
public record KeyValueAppend(TensorRef key, TensorRef value, TensorRef cache, PagedBatch paged) implements Operator {
    public KeyValueAppend {
        Expect.rank("KeyValueAppend", "key", key, 3);
        Expect.rank("KeyValueAppend", "cache", cache, 5);
        Expect.shape("KeyValueAppend", "key", key, paged.batch().tokens(), key.dim(1), key.dim(2));
        Expect.shape("KeyValueAppend", "value", value, key.dim(0), key.dim(1), key.dim(2));
        Expect.shape("KeyValueAppend", "cache", cache, cache.dim(0), 2, key.dim(1), cache.dim(3), key.dim(2));
    }

    @Override
    public List<TensorRef> inputs() {
        List<TensorRef> all = new ArrayList<>(paged.tables());
        all.add(key);
        all.add(value);
        return List.copyOf(all);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(cache);
    }

    @Override
    public Work work() {
        long elements = 2 * key.shape().elements();
        return new Work(0, key.bytes() + value.bytes() + cache.dtype().bytes(elements), Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx2x%dx%d %s".formatted(key.dim(0), key.dim(1), key.dim(2), cache.dtype());
    }
}
