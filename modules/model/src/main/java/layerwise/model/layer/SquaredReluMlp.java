package layerwise.model.layer;

import java.util.Optional;
import layerwise.model.parallel.Mapping;
import layerwise.model.weights.WeightTable;
import layerwise.model.weights.WeightTable.Part;
import layerwise.op.Linear;
import layerwise.op.Share;
import layerwise.op.SquaredRelu;
import layerwise.op.TensorRef;
import layerwise.op.Weight;

/** An MLP without a gate, or a rank's part of its width: a layer by itself, or shared experts. */
final class SquaredReluMlp implements SubLayer {
    private final long intermediate;
    private final Optional<String> range;
    private final Weight up;
    private final Weight down;

    private SquaredReluMlp(WeightTable weights, String prefix, int hidden, Share width, Optional<String> range) {
        this.intermediate = width.size();
        this.range = range;
        up = weights.matrix(prefix + "up_proj", hidden, new Part(prefix + "up_proj", width));
        down = weights.matrix(prefix + "down_proj", width, new Part(prefix + "down_proj", hidden));
    }

    /**
     * A rank's part; empty where there are more ranks than blocks of the width that stay together.
     *
     * @param range around its operators, where it has one of its own
     */
    static Optional<SquaredReluMlp> of(
            WeightTable weights, String prefix, int hidden, int intermediate, Mapping mapping, Optional<String> range) {
        Share width = mapping.width(intermediate, weights.indivisible(prefix + "up_proj"));
        return width.size() == 0
                ? Optional.empty()
                : Optional.of(new SquaredReluMlp(weights, prefix, hidden, width, range));
    }

    /** {@inheritDoc} It is this rank's part of the sum where ranks share the width. */
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
