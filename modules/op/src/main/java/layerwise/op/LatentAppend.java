package layerwise.op;

import java.util.ArrayList;
import java.util.List;

/**
 * Writes each token's latent and rotated key into the paged cache, at the token's position in its sequence.
 *
 * @param latent {@code [T,R]}
 * @param key    {@code [T,D]}
 * @param cache  {@code [pages, pageTokens, R+D]}, the latent first; E4M3 is rounded with scale 1; or packed as {@link
 *               PackedLatent} tells, each scale {@code max(amax, 1e-4) / 448}
 */
public record LatentAppend(TensorRef latent, TensorRef key, TensorRef cache, PagedBatch paged) implements Operator {
    public LatentAppend {
        Expect.rank("LatentAppend", "latent", latent, 2);
        Expect.rank("LatentAppend", "cache", cache, 3);
        Expect.shape("LatentAppend", "latent", latent, paged.batch().tokens(), latent.dim(1));
        Expect.shape("LatentAppend", "key", key, latent.dim(0), key.dim(1));
        long width =
                PackedLatent.holds(cache) ? PackedLatent.bytes(latent.dim(1), key.dim(1)) : latent.dim(1) + key.dim(1);
        Expect.shape("LatentAppend", "cache", cache, cache.dim(0), cache.dim(1), width);
    }

    @Override
    public List<TensorRef> inputs() {
        List<TensorRef> all = new ArrayList<>(paged.tables());
        all.add(latent);
        all.add(key);
        return List.copyOf(all);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(cache);
    }

    @Override
    public Work work() {
        return new Work(
                0, latent.bytes() + key.bytes() + cache.dtype().bytes(latent.dim(0) * cache.dim(2)), Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%d %s".formatted(latent.dim(0), cache.dim(2), cache.dtype());
    }
}
