package layerwise.op;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import layerwise.tensor.DType;

/**
 * Chooses k experts for each token. Equal scores are decided for the lower expert.
 *
 * @param logits  {@code [T,E]} float32
 * @param bias    {@code [E]} float32, added to the scores for the choice
 * @param ids     {@code [T,k]} int32, best first
 * @param weights {@code [T,k]} float32
 */
public record Route(TensorRef logits, Optional<TensorRef> bias, TensorRef ids, TensorRef weights, Routing routing)
        implements Operator {
    public Route {
        Expect.rank("Route", "logits", logits, 2);
        Expect.dtype("Route", "logits", logits, DType.F32);
        Expect.rank("Route", "ids", ids, 2);
        Expect.dtype("Route", "ids", ids, DType.I32);
        Expect.dtype("Route", "weights", weights, DType.F32);
        Expect.shape("Route", "ids", ids, logits.dim(0), ids.dim(1));
        Expect.shape("Route", "weights", weights, logits.dim(0), ids.dim(1));
        long experts = logits.dim(1);
        bias.ifPresent(b -> Expect.shape("Route", "bias", b, experts));
        Expect.that(ids.dim(1) <= experts, "Route: top %d of %d experts", ids.dim(1), experts);
        if (routing instanceof Routing.SigmoidGroups grouped) {
            Expect.that(
                    experts % grouped.groups() == 0 && ids.dim(1) <= experts / grouped.groups() * grouped.topGroups(),
                    "Route: top %d of %d experts in %d of %d groups",
                    ids.dim(1),
                    experts,
                    grouped.topGroups(),
                    grouped.groups());
        }
    }

    @Override
    public List<TensorRef> inputs() {
        List<TensorRef> all = new ArrayList<>();
        all.add(logits);
        bias.ifPresent(all::add);
        return List.copyOf(all);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(ids, weights);
    }

    @Override
    public Work work() {
        long bytes = logits.bytes() + ids.bytes() + weights.bytes();
        return new Work(
                4 * logits.shape().elements(),
                bytes + bias.map(TensorRef::bytes).orElse(0L),
                Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%d top %d".formatted(logits.dim(0), logits.dim(1), ids.dim(1));
    }
}
