package layerwise.model.layer;

import java.util.Optional;
import layerwise.op.Routing;
import layerwise.op.TensorRef;
import layerwise.op.Weight;

/**
 * What decides a layer's expert choices, for those who judge them.
 *
 * @param gain    {@code [H]}, of the norm before the router
 * @param epsilon of that norm
 * @param weight  {@code [E,H]}
 * @param bias    {@code [E]} float32, where the choice has one
 * @param routing how logits become choices
 * @param topK    experts for each token
 */
public record Router(
        TensorRef gain, double epsilon, Weight weight, Optional<TensorRef> bias, Routing routing, int topK) {}
