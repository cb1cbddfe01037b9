package layerwise.model.layer;

import layerwise.op.ExpertLoad;
import layerwise.op.TensorRef;

/** Which experts tokens go to. */
public sealed interface ExpertChoice {
    /** Those that the router chooses. */
    record Routed() implements ExpertChoice {}

    /**
     * Those of a constant table, whatever the router chooses; it still runs, and its weights count.
     *
     * @param ids  {@code [T,k]} int32
     * @param load what the table means for the experts
     */
    record Fixed(TensorRef ids, ExpertLoad load) implements ExpertChoice {}
}
