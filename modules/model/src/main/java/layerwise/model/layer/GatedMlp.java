package layerwise.model.layer;

import java.util.Optional;
import layerwise.model.weights.WeightTable;
import layerwise.model.weights.WeightTable.Part;
import layerwise.op.Linear;
import layerwise.op.SwiGlu;
import layerwise.op.TensorRef;
import layerwise.op.Weight;

/** A SwiGLU MLP: a layer's dense one, or its shared experts. */
final class GatedMlp implements SubLayer {
    private final int intermediate;
    private final Weight gateUp;
    private final Weight down;

    GatedMlp(WeightTable weights, String prefix, int hidden, int intermediate) {
        this.intermediate = intermediate;
        gateUp = weights.matrix(
                prefix + "gate_up_proj",
                hidden,
                new Part(prefix + "gate_proj", intermediate),
                new Part(prefix + "up_proj", intermediate));
        down = weights.matrix(prefix + "down_proj", intermediate, new Part(prefix + "down_proj", hidden));
    }

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
