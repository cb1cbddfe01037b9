package layerwise.model.layer;

import java.util.Optional;
import layerwise.model.weights.WeightTable;
import layerwise.model.weights.WeightTable.Part;
import layerwise.op.Linear;
import layerwise.op.SquaredRelu;
import layerwise.op.TensorRef;
import layerwise.op.Weight;

/** An MLP without a gate: a layer by itself, or shared experts. */
final class SquaredReluMlp implements SubLayer {
    private final int intermediate;
    private final Optional<String> range;
    private final Weight up;
    private final Weight down;

    /**
     * Asks for its weights.
     *
     * @param range around its operators, where it has one of its own
     */
    SquaredReluMlp(WeightTable weights, String prefix, int hidden, int intermediate, Optional<String> range) {
        this.intermediate = intermediate;
        this.range = range;
        up = weights.matrix(prefix + "up_proj", hidden, new Part(prefix + "up_proj", intermediate));
        down = weights.matrix(prefix + "down_proj", intermediate, new Part(prefix + "down_proj", hidden));
    }

    @Override
    public TensorRef emit(Emission to, TensorRef hidden) {
        TensorRef result = to.activation("output", to.tokens(), hidden.dim(1));
        to.range(range, () -> {
            TensorRef wide = to.activation("up", to.tokens(), intermediate);
            TensorRef activated = to.activation("activated", to.tokens(), intermediate);
            to.launch(new Linear(hidden, up, wide));
            to.launch(new SquaredRelu(wide, Optional.empty(), activated));
            to.launch(new Linear(activated, down, result));
        });
        return result;
    }
}
