package layerwise.op;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import layerwise.tensor.DType;

/**
 * A {@link Linear} per expert over that expert's rows: rows {@code offsets[e] .. offsets[e+1]} meet {@code w[e]}. Rows
 * beyond those in use are left.
 *
 * @param x       {@code [P,K]}, rounded where {@link Weight#roundsActivations} says so
 * @param offsets {@code [E+1]} int32
 * @param w       {@code [E,N,K]}
 * @param y       {@code [P,N]}
 * @param load    rows and experts in use, for the cost
 */
public record GroupedLinear(Activations x, TensorRef offsets, Weight w, TensorRef y, ExpertLoad load)
        implements Operator {
    public GroupedLinear {
        check("GroupedLinear", x, offsets, w);
        Expect.shape("GroupedLinear", "y", y, x.rows(), w.n());
    }

    static void check(String operator, Activations x, TensorRef offsets, Weight w) {
        Expect.rank(operator, "w", w.data(), 3);
        Expect.dtype(operator, "offsets", offsets, DType.I32);
        Expect.shape(operator, "w", w.data(), offsets.dim(0) - 1, w.n(), x.width());
        boolean rounding =
                w.roundsActivations(x.isRounded() ? DType.BF16 : x.data().dtype());
        Expect.that(
                rounding == x.isRounded(),
                "%s: expected %s rows for %s: %s",
                operator,
                rounding ? "rounded" : "plain",
                w.data(),
                x);
    }

    /** Least work of a product over experts whose results have {@code outBytes}. */
    static Work work(Activations x, Weight w, ExpertLoad load, long outBytes) {
        long weightBytes =
                Math.round(w.bytes() * load.activeExperts() / w.data().dim(0));
        return new Work(
                2 * load.rows() * w.n() * w.k(),
                x.bytes(load.rows()) + weightBytes + outBytes,
                x.isRounded() ? Arithmetic.FP8 : w.arithmetic(x.data().dtype()));
    }

    static List<TensorRef> inputs(Activations x, TensorRef offsets, Weight w) {
        List<TensorRef> all = new ArrayList<>(w.tensors());
        all.addAll(x.tensors());
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
