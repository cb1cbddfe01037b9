package layerwise.model.layer;

import java.util.Optional;
import layerwise.model.parallel.Mapping;
import layerwise.model.weights.WeightTable;
import layerwise.model.weights.WeightTable.Part;
import layerwise.op.Linear;
import layerwise.op.Share;
import layerwise.op.SwiGlu;
import layerwise.op.TensorRef;
import layerwise.op.Weight;

/** A SwiGLU MLP, or a rank's part of its width: a layer's dense one, or its shared experts. */
final class GatedMlp implements SubLayer {
    private final long intermediate;
    private final Weight gateUp;
    private final Weight down;

    private GatedMlp(WeightTable weights, String prefix, int hidden, Share width) {
        this.intermediate = width.size();
        gateUp = weights.matrix(
                prefix + "gate_up_proj",
                hidden,
                new Part(prefix + "gate_proj", width),
                new Part(prefix + "up_proj", width));
        down = weights.matrix(prefix + "down_proj", width, new Part(prefix + "down_proj", hidden));
    }

    /** A rank's part; empty where there are more ranks than blocks of the width that stay together. */
    static Optional<GatedMlp> of(WeightTable weights, String prefix, int hidden, int intermediate, Mapping mapping) {
        Share width = mapping.width(intermediate, weights.indivisible(prefix + "gate_proj"));
        return width.size() == 0 ? Optional.empty() : Optional.of(new GatedMlp(weights, prefix, hidden, width));
    }

    /** {@inheritDoc} It is this rank's part of the sum where ranks share the width. */
    @Override
    public TensorRef emit(Emission to, TensorRef hidden) {
        TensorRef result = to.activation("output", to.tokens(), hidden.dim(1));
        to.program().range("GatedMLP", () -> {
            TensorRef both = to.activation("gate_up", to.tokens(), 2L * intermediate);
            TensorRef gated = to.activation("gated", to.tokens(), intermediate);
            to.launch(new Linear(hidden, gateUp, both));
            to.launch(new SwiGlu(both, Optional.empty(), gated));
            to.launch(new Linear(gated, down, result));
        });
        return result;
    }
}
