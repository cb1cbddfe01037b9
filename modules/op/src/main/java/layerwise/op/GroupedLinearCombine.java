package layerwise.op;

import java.util.ArrayList;
import java.util.List;

/**
 * {@link GroupedLinear} whose epilogue weighs each row and adds it to its token: {@link Combine} without the detour over
 * memory.
 *
 * @param x       {@code [P,K]}, as {@link GroupedLinear} takes them
 * @param offsets {@code [E+1]} int32
 * @param w       {@code [E,N,K]}
 * @param pairs   {@code [P]} int32
 * @param slots   {@code [T,k]} int32
 * @param weights {@code [T,k]} float32
 * @param y       {@code [T,N]}
 */
public record GroupedLinearCombine(
        Activations x,
        TensorRef offsets,
        Weight w,
        TensorRef pairs,
        TensorRef slots,
        TensorRef weights,
        TensorRef y,
        ExpertLoad load)
        implements Operator {
    public GroupedLinearCombine {
        GroupedLinear.check("GroupedLinearCombine", x, offsets, w);
        Combine.check("GroupedLinearCombine", x.rows(), slots, weights, y);
        Expect.shape("GroupedLinearCombine", "pairs", pairs, x.rows());
        Expect.shape("GroupedLinearCombine", "y", y, slots.dim(0), w.n());
    }

    @Override
    public List<TensorRef> inputs() {
        List<TensorRef> all = new ArrayList<>(GroupedLinear.inputs(x, offsets, w));
        all.addAll(List.of(pairs, slots, weights));
        return List.copyOf(all);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(y);
    }

    @Override
    public Work work() {
        long bytes = pairs.bytes() + slots.bytes() + weights.bytes() + y.bytes();
        Work product = GroupedLinear.work(x, w, load, bytes);
        return new Work(product.flops() + 2 * load.rows() * w.n(), product.bytes(), product.arithmetic());
    }

    @Override
    public String label() {
        return GroupedLinear.label(w, load);
    }
}
