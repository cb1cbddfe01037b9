package layerwise.op;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import layerwise.tensor.DType;

/**
 * A {@link Linear} per expert over that expert's rows: rows {@code offsets[e] .. offsets[e+1]} meet {@code w[e]}. Rows
 * beyond those in use are left.
 *
 * @param x       {@code [P,K]}
 * @param offsets {@code [E+1]} int32
 * @param w       {@code [E,N,K]}
 * @param y       {@code [P,N]}
 * @param load    rows and experts in use, for the cost
 */
public record GroupedLinear(TensorRef x, TensorRef offsets, Weight w, TensorRef y, ExpertLoad load)
        implements Operator {
    public GroupedLinear {
        check("GroupedLinear", x, offsets, w);
        Expect.shape("GroupedLinear", "y", y, x.dim(0), w.n());
    }

    static void check(String operator, TensorRef x, TensorRef offsets, Weight w) {
        Expect.rank(operator, "x", x, 2);
        Expect.rank(operator, "w", w.data(), 3);
        Expect.dtype(operator, "offsets", offsets, DType.I32);
        Expect.shape(operator, "w", w.data(), offsets.dim(0) - 1, w.n(), x.dim(1));
    }

    /** Least work of a product over experts whose results have {@code outBytes}. */
    static Work work(TensorRef x, Weight w, ExpertLoad load, long outBytes) {
        long weightBytes =
                Math.round(w.bytes() * load.activeExperts() / w.data().dim(0));
        long xBytes = x.dtype().bytes(load.rows() * x.dim(1));
        return new Work(2 * load.rows() * w.n() * w.k(), xBytes + weightBytes + outBytes, w.arithmetic(x.dtype()));
    }

    static List<TensorRef> inputs(TensorRef x, TensorRef offsets, Weight w) {
        List<TensorRef> all = new ArrayList<>(w.tensors());
        all.add(x);
        all.add(offsets);
        return List.copyOf(all);
    }

    static String label(Weight w, ExpertLoad load) {
        return "%d rows %dx%dx%d %s"
                .formatted(
                        load.rows(),
                        w.data().dim(0),
                        w.n(),
                        w.k(),
                        w.format().name().toLowerCase(Locale.ROOT));
    }

    @Override
    public List<TensorRef> inputs() {
        return inputs(x, offsets, w);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(y);
    }

    @Override
    public Work work() {
        return work(x, w, load, y.dtype().bytes(load.rows() * w.n()));
    }

    @Override
    public String label() {
        return label(w, load);
    }
}
