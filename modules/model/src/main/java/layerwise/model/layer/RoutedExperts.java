package layerwise.model.layer;

import java.util.List;
import java.util.Optional;
import layerwise.model.parallel.Mapping;
import layerwise.model.spec.ModelSpec;
import layerwise.model.spec.MoeSpec;
import layerwise.model.weights.WeightTable;
import layerwise.model.weights.WeightTable.Part;
import layerwise.op.Activations;
import layerwise.op.Combine;
import layerwise.op.ExpertLoad;
import layerwise.op.GatherRows;
import layerwise.op.GroupedLinear;
import layerwise.op.RoundRows;
import layerwise.op.Scaling;
import layerwise.op.Share;
import layerwise.op.SortByExpert;
import layerwise.op.SquaredRelu;
import layerwise.op.SwiGlu;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.tensor.DType;

/** The routed experts that a rank has: two products over them with an activation between. */
final class RoutedExperts {
    private final MoeSpec spec;
    private final Share own;
    private final Weight up;
    private final Weight down;

    RoutedExperts(ModelSpec model, MoeSpec spec, WeightTable weights, String prefix, Mapping mapping) {
        this.spec = spec;
        own = mapping.experts(model.name(), spec.experts());
        int hidden = model.hidden();
        int width = spec.intermediate();
        up = switch (spec.activation()) {
            case SWIGLU ->
                weights.experts(
                        prefix + "gate_up_proj",
                        hidden,
                        own,
                        e -> List.of(
                                new Part(prefix + e + ".gate_proj", width), new Part(prefix + e + ".up_proj", width)));
            case SQUARED_RELU ->
                weights.experts(
                        prefix + "up_proj", hidden, own, e -> List.of(new Part(prefix + e + ".up_proj", width)));
        };
        down = weights.experts(
                prefix + "down_proj", width, own, e -> List.of(new Part(prefix + e + ".down_proj", hidden)));
    }

    /** What this rank's experts make of their tokens among {@code hidden [T,H]}, added up for each token. */
    void emit(Emission to, TensorRef hidden, TensorRef ids, TensorRef weights, ExpertLoad load, TensorRef result) {
        long tokens = hidden.dim(0);
        long pairCount = tokens * spec.topK();
        TensorRef offsets = to.tensor("offsets", DType.I32, own.size() + 1);
        TensorRef pairs = to.tensor("pairs", DType.I32, pairCount);
        TensorRef slots = to.tensor("slots", DType.I32, tokens, spec.topK());
        to.launch(new SortByExpert(ids, offsets, pairs, slots, (int) own.from()));
        Activations rows = gathered(to, hidden, pairs, offsets, load.rows());
        TensorRef wide = to.activation("expert_up", pairCount, up.n());
        to.launch(new GroupedLinear(rows, offsets, up, wide, load));
        TensorRef activated = to.activation("expert_activated", pairCount, spec.intermediate());
        to.launch(
                switch (spec.activation()) {
                    case SWIGLU -> new SwiGlu(wide, Optional.of(offsets), activated, load.rows());
                    case SQUARED_RELU -> new SquaredRelu(wide, Optional.of(offsets), activated, load.rows());
                });
        Activations narrow = suited(to, "expert_rounded", activated, Optional.of(offsets), down, load.rows());
        TensorRef out = to.activation("expert_output", pairCount, hidden.dim(1));
        to.launch(new GroupedLinear(narrow, offsets, down, out, load));
        to.launch(new Combine(out, slots, weights, result, load.rows()));
    }

    /** Each expert's rows, rounded where its weights want it: before they are gathered, unless that makes more rows of them. */
    private Activations gathered(Emission to, TensorRef hidden, TensorRef pairs, TensorRef offsets, long rows) {
        // Of tokens that an all-to-all brings, only some have rows.
        boolean early = to.traffic().allToAll().isEmpty() && hidden.dim(0) <= rows;
        Activations tokens =
                early ? suited(to, "rounded", hidden, Optional.empty(), up, hidden.dim(0)) : Activations.plain(hidden);
        Activations gathered = tokens.isRounded()
                ? to.rounded("rows", pairs.dim(0), hidden.dim(1))
                : Activations.plain(to.activation("rows", pairs.dim(0), hidden.dim(1)));
        to.launch(new GatherRows(tokens, pairs, gathered, spec.topK(), rows));
        return gathered.isRounded() ? gathered : suited(to, "rounded", gathered.data(), Optional.of(offsets), up, rows);
    }

    /** Rows as products with a weight want them. */
    private static Activations suited(
            Emission to, String name, TensorRef x, Optional<TensorRef> active, Weight weight, long rows) {
        if (weight.roundsActivations(x.dtype()) && weight.scaling() instanceof Scaling.Block block) {
            Activations rounded = to.rounded(name, x.dim(0), x.dim(1));
            to.launch(new RoundRows(x, active, rounded, block.activations(), rows));
            return rounded;
        }
        return Activations.plain(x);
    }
}
