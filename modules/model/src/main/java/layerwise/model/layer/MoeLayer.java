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
import layerwise.op.SortByExpert;
import layerwise.op.SwiGlu;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.tensor.DType;

/** DeepSeek's mixture of experts: router, routed experts, and shared experts beside them. */
final class MoeLayer {
    private final MoeSpec spec;
    private final Weight router;
    private final TensorRef bias;
    private final Weight gateUp;
    private final Weight down;
    private final Optional<GatedMlp> shared;

    MoeLayer(ModelSpec model, MoeSpec spec, WeightTable weights, String prefix) {
        this.spec = spec;
        int hidden = model.hidden();
        int width = spec.intermediate();
        router = weights.router(new Part(prefix + "gate", spec.experts()), hidden);
        bias = weights.floats(prefix + "gate.e_score_correction_bias", spec.experts());
        List<List<Part>> gateUps = new ArrayList<>();
        List<List<Part>> downs = new ArrayList<>();
        for (int e = 0; e < spec.experts(); e++) {
            String expert = prefix + "experts." + e + ".";
            gateUps.add(List.of(new Part(expert + "gate_proj", width), new Part(expert + "up_proj", width)));
            downs.add(List.of(new Part(expert + "down_proj", hidden)));
        }
        gateUp = weights.experts(prefix + "experts.gate_up_proj", hidden, gateUps);
        down = weights.experts(prefix + "experts.down_proj", width, downs);
        shared = spec.sharedIntermediate() == 0
                ? Optional.empty()
                : Optional.of(new GatedMlp(weights, prefix + "shared_experts.", hidden, spec.sharedIntermediate()));
    }

    /** How this layer routes. */
    Router router(TensorRef inputGain, double epsilon) {
        return new Router(inputGain, epsilon, router, bias, spec.routing(), spec.topK());
    }

    /** The router's choices of a step, {@code [T,k]} int32. */
    TensorRef ids(Emission to) {
        return to.tensor("ids", DType.I32, to.tokens(), spec.topK());
    }

    /** Of {@code hidden [T,H]}; the result is {@code [T,H]}. */
    TensorRef emit(Emission to, TensorRef hidden, ExpertChoice choice) {
        TensorRef[] parts = new TensorRef[2];
        TensorRef[] result = new TensorRef[1];
        to.program().range("Deepseekv3MoE", () -> {
            if (shared.isEmpty()) {
                result[0] = routed(to, hidden, choice);
                return;
            }
            to.program()
                    .concurrently(
                            () -> parts[0] = routed(to, hidden, choice),
                            () -> parts[1] = shared.get().emit(to.within("shared"), hidden));
            result[0] = to.activation("output", to.tokens(), hidden.dim(1));
            to.launch(new Add(parts[0], parts[1], result[0]));
        });
        return result[0];
    }

    private TensorRef routed(Emission to, TensorRef hidden, ExpertChoice choice) {
        TensorRef logits = to.tensor("logits", DType.F32, to.tokens(), spec.experts());
        to.program().range("DeepseekV3Gate", () -> to.launch(new Linear(hidden, router, logits)));
        TensorRef result = to.activation("routed", to.tokens(), hidden.dim(1));
        to.program().range("MoE", () -> experts(to, hidden, logits, choice, result));
        return result;
    }

    private void experts(Emission to, TensorRef hidden, TensorRef logits, ExpertChoice choice, TensorRef result) {
        int tokens = to.tokens();
        int topK = spec.topK();
        long pairCount = (long) tokens * topK;
        TensorRef chosen = ids(to);
        TensorRef weights = to.tensor("weights", DType.F32, tokens, topK);
        to.launch(new Route(logits, Optional.of(bias), chosen, weights, spec.routing()));
        TensorRef ids = switch (choice) {
            case ExpertChoice.Routed routed -> chosen;
            case ExpertChoice.Fixed fixed -> fixed.ids();
        };
        ExpertLoad load = switch (choice) {
            case ExpertChoice.Routed routed -> ExpertLoad.expected(tokens, topK, spec.experts());
            case ExpertChoice.Fixed fixed -> fixed.load();
        };
        TensorRef offsets = to.tensor("offsets", DType.I32, spec.experts() + 1L);
        TensorRef pairs = to.tensor("pairs", DType.I32, pairCount);
        TensorRef slots = to.tensor("slots", DType.I32, tokens, topK);
        to.launch(new SortByExpert(ids, offsets, pairs, slots, 0));
        TensorRef rows = to.activation("rows", pairCount, hidden.dim(1));
        to.launch(new GatherRows(hidden, pairs, rows, topK));
        TensorRef both = to.activation("expert_gate_up", pairCount, 2L * spec.intermediate());
        to.launch(new GroupedLinear(rows, offsets, gateUp, both, load));
        TensorRef gated = to.activation("expert_gated", pairCount, spec.intermediate());
        to.launch(new SwiGlu(both, Optional.of(offsets), gated));
        TensorRef out = to.activation("expert_output", pairCount, hidden.dim(1));
        to.launch(new GroupedLinear(gated, offsets, down, out, load));
        to.launch(new Combine(out, slots, weights, result));
    }
}
