package layerwise.op;

import java.util.List;

/**
 * {@link GroupedLinear} with {@link SwiGlu} in its epilogue.
 *
 * @param x       {@code [P,K]}, as {@link GroupedLinear} takes them
 * @param offsets {@code [E+1]} int32
 * @param w       {@code [E,2I,K]}, gate rows first
 * @param y       {@code [P,I]}
 */
public record GatedGroupedLinear(Activations x, TensorRef offsets, Weight w, TensorRef y, ExpertLoad load)
        implements Operator {
    public GatedGroupedLinear {
        GroupedLinear.check("GatedGroupedLinear", x, offsets, w);
        Expect.shape("GatedGroupedLinear", "y", y, x.rows(), w.n() / 2);
    }

    @Override
    public List<TensorRef> inputs() {
        return GroupedLinear.inputs(x, offsets, w);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(y);
    }

    @Override
    public Work work() {
        return GroupedLinear.work(x, w, load, y.dtype().bytes(load.rows() * y.dim(1)));
    }

    @Override
    public String label() {
        return GroupedLinear.label(w, load);
    }
}
