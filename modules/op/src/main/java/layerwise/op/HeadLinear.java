package layerwise.op;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A product per head with a part of one weight matrix, as MLA's absorbed form needs it.
 *
 * <p>Head {@code h} owns the rows {@code h·headRows ..} of {@code w} and uses those from {@code firstRow} on. Plain:
 * {@code y[t,h,n] = Σ_k x[t,h,k] · w[h·headRows+firstRow+n, k]}. Transposed: {@code y[t,h,n] = Σ_k x[t,h,k] ·
 * w[h·headRows+firstRow+k, n]}.
 *
 * @param x {@code [T,Q,K]}
 * @param w {@code [Q·headRows, C]}
 * @param y {@code [T,Q,N]}
 */
public record HeadLinear(TensorRef x, Weight w, TensorRef y, int headRows, int firstRow, boolean transposed)
        implements Operator {
    public HeadLinear {
        Expect.rank("HeadLinear", "x", x, 3);
        Expect.rank("HeadLinear", "y", y, 3);
        Expect.shape("HeadLinear", "y", y, x.dim(0), x.dim(1), y.dim(2));
        long rows = transposed ? x.dim(2) : y.dim(2);
        long columns = transposed ? y.dim(2) : x.dim(2);
        Expect.shape("HeadLinear", "w", w.data(), x.dim(1) * headRows, columns);
        Expect.that(
                firstRow >= 0 && firstRow + rows <= headRows,
                "HeadLinear: rows %d..%d of %d",
                firstRow,
                firstRow + rows,
                headRows);
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
        long rows = transposed ? x.dim(2) : y.dim(2);
        // A part of the rows is read, scales in proportion.
        long weightBytes = w.bytes() * rows / headRows;
        return new Work(2 * x.shape().elements() * y.dim(2), x.bytes() + weightBytes + y.bytes(), Arithmetic.BF16);
    }

    @Override
    public String label() {
        return "%dx%dx%dx%d %s"
                .formatted(
                        x.dim(1),
                        x.dim(0),
                        y.dim(2),
                        x.dim(2),
                        w.format().name().toLowerCase(Locale.ROOT));
    }
}
