package layerwise.op;

import java.util.ArrayList;
import java.util.List;

/**
 * Everything between MLA's projections and its attention in one pass: the latent's {@link RmsNorm}, {@link Rotary} of
 * queries and key, {@link LatentAppend}.
 *
 * @param query    queries' part to rotate, and where it goes
 * @param key      the key's part to rotate {@code [T,1,D]}, and where it goes
 * @param norm     normalisation of the latent {@code [T,R]}
 * @param append   cache write of both
 */
public record MlaRopeAppend(Rotary query, Rotary key, RmsNorm norm, LatentAppend append) implements Operator {
    public MlaRopeAppend {
        Expect.that(query.layout() == key.layout(), "MlaRopeAppend: queries and key rotate differently");
        Expect.that(append.latent().equals(norm.y()), "MlaRopeAppend: the cache gets %s", append.latent());
        Expect.that(key.y().joinLast().equals(append.key()), "MlaRopeAppend: the cache gets the key %s", append.key());
    }

    @Override
    public List<TensorRef> inputs() {
        List<TensorRef> all = new ArrayList<>(append.paged().tables());
        all.addAll(query.inputs());
        all.addAll(List.of(key.x(), norm.x(), norm.gain()));
        return List.copyOf(all);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(query.y(), key.y(), norm.y(), append.cache());
    }

    @Override
    public Work work() {
        long bytes = query.work().bytes()
                + key.x().bytes()
                + key.y().bytes()
                + norm.work().bytes()
                + append.cache().dtype().bytes(norm.x().dim(0) * append.cache().dim(2));
        return new Work(query.work().flops() + key.work().flops() + norm.work().flops(), bytes, Arithmetic.F32);
    }

    @Override
    public String label() {
        return query.label() + " " + append.label();
    }
}
