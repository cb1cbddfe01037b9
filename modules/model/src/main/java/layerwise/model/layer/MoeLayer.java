package layerwise.model.layer;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import layerwise.model.spec.ModelSpec;
import layerwise.model.spec.MoeSpec;
import layerwise.model.weights.WeightTable;
import layerwise.model.weights.WeightTable.Part;
import layerwise.op.Add;
import layerwise.op.Combine;
import layerwise.op.ExpertLoad;
import layerwise.op.GatherRows;
import layerwise.op.GroupedLinear;
import layerwise.op.Linear;
import layerwise.op.Route;
import layerwise.op.Routing;
import layerwise.op.SigmoidGate;
import layerwise.op.SortByExpert;
import layerwise.op.SquaredRelu;
import layerwise.op.SwiGlu;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.tensor.DType;

/** A mixture of experts: router, routed experts, and shared experts beside them. */
final class MoeLayer implements SubLayer {
    private final MoeSpec spec;
    private final MoeBlock block;
    private final Weight router;
    private final Optional<TensorRef> bias;
    private final Weight up;
    private final Weight down;
    private final Optional<SubLayer> shared;
    private final Optional<Weight> sharedGate;

    MoeLayer(ModelSpec model, MoeSpec spec, WeightTable weights, String prefix) {
        this.spec = spec;
        this.block = MoeBlock.of(model.family());
        int hidden = model.hidden();
        router = weights.router(new Part(prefix + "gate", spec.experts()), hidden);
        bias = switch (spec.routing()) {
            case Routing.SigmoidGroups groups ->
                Optional.of(weights.floats(prefix + "gate.e_score_correction_bias", spec.experts()));
            case Routing.Softmax softmax -> Optional.empty();
        };
        List<List<Part>> ups = new ArrayList<>();
        List<List<Part>> downs = new ArrayList<>();
        for (int e = 0; e < spec.experts(); e++) {
            String expert = prefix + "experts." + e + ".";
            Part upPart = new Part(expert + "up_proj", spec.intermediate());
            ups.add(
                    switch (spec.activation()) {
                        case SWIGLU -> List.of(new Part(expert + "gate_proj", spec.intermediate()), upPart);
                        case SQUARED_RELU -> List.of(upPart);
                    });
            downs.add(List.of(new Part(expert + "down_proj", hidden)));
        }
        up = weights.experts(prefix + "experts." + upName(), hidden, ups);
        down = weights.experts(prefix + "experts.down_proj", spec.intermediate(), downs);
        shared = spec.sharedIntermediate() == 0
                ? Optional.empty()
                : Optional.of(shared(weights, prefix + block.sharedModule(), hidden));
        sharedGate = shared.flatMap(experts -> block.sharedGate())
                .map(gate -> weights.matrix(prefix + gate, hidden, new Part(prefix + gate, 1)));
    }

    private String upName() {
        return switch (spec.activation()) {
            case SWIGLU -> "gate_up_proj";
            case SQUARED_RELU -> "up_proj";
        };
    }

    private SubLayer shared(WeightTable weights, String prefix, int hidden) {
        return switch (spec.activation()) {
            case SWIGLU -> new GatedMlp(weights, prefix, hidden, spec.sharedIntermediate());
            case SQUARED_RELU ->
                new SquaredReluMlp(weights, prefix, hidden, spec.sharedIntermediate(), Optional.empty());
        };
    }

    /** How this layer routes. */
    Router router(TensorRef inputGain, double epsilon) {
        return new Router(inputGain, epsilon, router, bias, spec.routing(), spec.topK());
    }

    /** The router's choices of a step, {@code [T,k]} int32. */
    TensorRef ids(Emission to) {
        return to.tensor("ids", DType.I32, to.tokens(), spec.topK());
    }

    @Override
    public TensorRef emit(Emission to, TensorRef hidden) {
        TensorRef[] parts = new TensorRef[2];
        TensorRef[] result = new TensorRef[1];
        to.program().range(block.range(), () -> {
            if (shared.isEmpty()) {
                result[0] = routed(to, hidden);
                return;
            }
            to.program()
                    .concurrently(
                            () -> parts[0] = routed(to, hidden),
                            () -> parts[1] = shared(to.within("shared"), hidden, shared.get()));
            result[0] = to.activation("output", to.tokens(), hidden.dim(1));
            to.launch(new Add(parts[0], parts[1], result[0]));
        });
        return result[0];
    }

    private TensorRef shared(Emission to, TensorRef hidden, SubLayer experts) {
        TensorRef result = experts.emit(to, hidden);
        if (sharedGate.isEmpty()) {
            return result;
        }
        TensorRef gate = to.activation("gate", to.tokens(), 1);
        to.launch(new Linear(hidden, sharedGate.get(), gate));
        TensorRef gated = to.activation("gated_output", to.tokens(), hidden.dim(1));
        to.launch(new SigmoidGate(
                result.splitLast(1, hidden.dim(1)), gate.splitLast(1, 1), gated.splitLast(1, hidden.dim(1))));
        return gated;
    }

    private TensorRef routed(Emission to, TensorRef hidden) {
        TensorRef logits = to.tensor("logits", DType.F32, to.tokens(), spec.experts());
        to.range(block.routerRange(), () -> to.launch(new Linear(hidden, router, logits)));
        TensorRef result = to.activation("routed", to.tokens(), hidden.dim(1));
        to.program().range("MoE", () -> experts(to, hidden, logits, result));
        return result;
    }

    private void experts(Emission to, TensorRef hidden, TensorRef logits, TensorRef result) {
        int tokens = to.tokens();
        int topK = spec.topK();
        long pairCount = (long) tokens * topK;
        TensorRef chosen = ids(to);
        TensorRef weights = to.tensor("weights", DType.F32, tokens, topK);
        to.launch(new Route(logits, bias, chosen, weights, spec.routing()));
        TensorRef ids = switch (to.choice()) {
            case ExpertChoice.Routed routed -> chosen;
            case ExpertChoice.Fixed fixed -> fixed.ids();
        };
        ExpertLoad load = switch (to.choice()) {
            case ExpertChoice.Routed routed -> ExpertLoad.expected(tokens, topK, spec.experts());
            case ExpertChoice.Fixed fixed -> fixed.load();
        };
        TensorRef offsets = to.tensor("offsets", DType.I32, spec.experts() + 1L);
        TensorRef pairs = to.tensor("pairs", DType.I32, pairCount);
        TensorRef slots = to.tensor("slots", DType.I32, tokens, topK);
        to.launch(new SortByExpert(ids, offsets, pairs, slots, 0));
        TensorRef rows = to.activation("rows", pairCount, hidden.dim(1));
        to.launch(new GatherRows(hidden, pairs, rows, topK));
        TensorRef wide = to.activation("expert_" + upName().replace("_proj", ""), pairCount, up.n());
        to.launch(new GroupedLinear(rows, offsets, up, wide, load));
        TensorRef activated = to.activation("expert_activated", pairCount, spec.intermediate());
        to.launch(
                switch (spec.activation()) {
                    case SWIGLU -> new SwiGlu(wide, Optional.of(offsets), activated);
                    case SQUARED_RELU -> new SquaredRelu(wide, Optional.of(offsets), activated);
                });
        TensorRef out = to.activation("expert_output", pairCount, hidden.dim(1));
        to.launch(new GroupedLinear(activated, offsets, down, out, load));
        to.launch(new Combine(out, slots, weights, result));
    }
}
