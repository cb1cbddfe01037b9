package layerwise.op;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * {@code y[t,n] = Σ_k x[t,k] · w[n,k]}; x is rounded first where {@link Weight#roundsActivations} says so.
 *
 * @param x {@code [T,K]}, rows may have gaps
 * @param w {@code [N,K]}
 * @param y {@code [T,N]}, rows may have gaps; float32 where the router needs it
 */
public record Linear(TensorRef x, Weight w, TensorRef y) implements Operator {
    public Linear {
        Expect.rank("Linear", "x", x, 2);
        Expect.shape("Linear", "w", w.data(), w.n(), x.dim(1));
        Expect.shape("Linear", "y", y, x.dim(0), w.n());
    }

    @Override
    public List<TensorRef> inputs() {
        List<TensorRef> all = new ArrayList<>(w.tensors());
        all.add(x);
        return List.copyOf(all);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(y);
    }

    @Override
    public Work work() {
        return new Work(2 * x.dim(0) * w.n() * w.k(), x.bytes() + w.bytes() + y.bytes(), w.arithmetic(x.dtype()));
    }

    @Override
    public String label() {
        return "%dx%dx%d %s".formatted(x.dim(0), w.n(), w.k(), w.format().name().toLowerCase(Locale.ROOT));
    }
}
