package layerwise.model.layer;

import java.util.List;
import java.util.Optional;
import layerwise.model.parallel.Mapping;
import layerwise.model.spec.ModelSpec;
import layerwise.model.spec.MoeSpec;
import layerwise.model.weights.WeightTable;
import layerwise.model.weights.WeightTable.Part;
import layerwise.op.Add;
import layerwise.op.AllGather;
import layerwise.op.AllToAllCombine;
import layerwise.op.AllToAllDispatch;
import layerwise.op.AllToAllMethod;
import layerwise.op.Combine;
import layerwise.op.ExchangeLoad;
import layerwise.op.ExpertLoad;
import layerwise.op.GatherRows;
import layerwise.op.GroupedLinear;
import layerwise.op.Linear;
import layerwise.op.RankTokens;
import layerwise.op.ReduceScatter;
import layerwise.op.Route;
import layerwise.op.Share;
import layerwise.op.SortByExpert;
import layerwise.op.SwiGlu;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.tensor.DType;

/**
 * DeepSeek's mixture of experts: router, routed experts, and shared experts beside them. Each rank has some of the routed
 * experts. Under attention tensor parallelism all ranks hold all tokens, compute their experts' and their part of the shared
 * experts' share of the sum, and add up; under data parallelism tokens travel to their experts and back.
 */
final class MoeLayer {
    private final MoeSpec spec;
    private final Mapping mapping;
    private final Share own;
    private final Weight router;
    private final TensorRef bias;
    private final Weight gateUp;
    private final Weight down;
    private final Optional<GatedMlp> shared;

    MoeLayer(ModelSpec model, MoeSpec spec, WeightTable weights, String prefix, Mapping mapping) {
        this.spec = spec;
        this.mapping = mapping;
        own = mapping.experts(model.name(), spec.experts());
        int hidden = model.hidden();
        int width = spec.intermediate();
        router = weights.router(new Part(prefix + "gate", spec.experts()), hidden);
        bias = weights.floats(prefix + "gate.e_score_correction_bias", spec.experts());
        String experts = prefix + "experts.";
        gateUp = weights.experts(
                experts + "gate_up_proj",
                hidden,
                own,
                e -> List.of(new Part(experts + e + ".gate_proj", width), new Part(experts + e + ".up_proj", width)));
        down = weights.experts(
                experts + "down_proj", width, own, e -> List.of(new Part(experts + e + ".down_proj", hidden)));
        shared = spec.sharedIntermediate() == 0
                ? Optional.empty()
                : GatedMlp.of(weights, prefix + "shared_experts.", hidden, spec.sharedIntermediate(), mapping);
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
                result[0] = to.reduced(routed(to, hidden, choice));
                return;
            }
            to.program()
                    .concurrently(
                            () -> parts[0] = routed(to, hidden, choice),
                            () -> parts[1] = shared.get().emit(to.within("shared"), hidden));
            TensorRef sum = to.activation("output", to.tokens(), hidden.dim(1));
            to.launch(new Add(parts[0], parts[1], sum));
            result[0] = to.reduced(sum);
        });
        return result[0];
    }

    private TensorRef routed(Emission to, TensorRef hidden, ExpertChoice choice) {
        TensorRef logits = to.tensor("logits", DType.F32, to.tokens(), spec.experts());
        to.program().range("DeepseekV3Gate", () -> to.launch(new Linear(hidden, router, logits)));
        TensorRef result = to.activation("routed", to.tokens(), hidden.dim(1));
        to.program().range("MoE", () -> {
            TensorRef ids = ids(to);
            TensorRef weights = to.tensor("weights", DType.F32, to.tokens(), spec.topK());
            List<RankTokens> chunks = to.traffic().chunks(mapping.dataRanks());
            int from = 0;
            for (int i = 0; i < chunks.size(); i++) {
                RankTokens tokens = chunks.get(i);
                int until = from + tokens.own();
                Emission at = chunks.size() == 1 ? to : to.within("chunk" + i);
                Chosen chosen = route(
                        at,
                        logits.slice(0, from, until),
                        ids.slice(0, from, until),
                        weights.slice(0, from, until),
                        tokens,
                        choice,
                        i);
                exchange(at, hidden.slice(0, from, until), chosen, tokens, result.slice(0, from, until));
                from = until;
            }
        });
        return result;
    }

    /**
     * Where the tokens of a chunk go.
     *
     * @param ids     {@code [T,k]} int32
     * @param weights {@code [T,k]} float32
     */
    private record Chosen(TensorRef ids, TensorRef weights, ExpertLoad load, ExchangeLoad exchange) {}

    private Chosen route(
            Emission to,
            TensorRef logits,
            TensorRef ids,
            TensorRef weights,
            RankTokens tokens,
            ExpertChoice choice,
            int chunk) {
        if (tokens.own() > 0) {
            to.launch(new Route(logits, Optional.of(bias), ids, weights, spec.routing()));
        }
        return switch (choice) {
            case ExpertChoice.Routed routed ->
                new Chosen(
                        ids,
                        weights,
                        ExpertLoad.expected(
                                mapping.dataRanks() == 1 ? tokens.own() : tokens.total(),
                                spec.topK(),
                                spec.experts(),
                                mapping.group().size()),
                        ExchangeLoad.expected(tokens, spec.topK(), spec.experts()));
            case ExpertChoice.PerLayer choices ->
                throw new IllegalStateException("a choice of all layers at one of them");
            case ExpertChoice.Fixed fixed -> {
                ExpertChoice.Table table = fixed.chunks().get(chunk);
                yield new Chosen(table.ids(), weights, table.load(), table.exchange());
            }
        };
    }

    /** Experts of one chunk, with what brings tokens there and back where they are other ranks' tokens. */
    private void exchange(Emission to, TensorRef hidden, Chosen chosen, RankTokens tokens, TensorRef result) {
        if (mapping.dataRanks() == 1) {
            experts(to, hidden, chosen.ids(), chosen.weights(), chosen.load(), result);
            return;
        }
        int topK = spec.topK();
        AllGather.Part x = new AllGather.Part(hidden, to.activation("gathered", tokens.total(), hidden.dim(1)));
        AllGather.Part ids =
                new AllGather.Part(chosen.ids(), to.tensor("gathered_ids", DType.I32, tokens.total(), topK));
        AllGather.Part weights =
                new AllGather.Part(chosen.weights(), to.tensor("gathered_weights", DType.F32, tokens.total(), topK));
        TensorRef partial = to.activation("partial", tokens.total(), hidden.dim(1));
        Optional<AllToAllMethod> allToAll = to.traffic().allToAll();
        to.launch(
                allToAll.isEmpty()
                        ? new AllGather(List.of(x, ids, weights), tokens)
                        : new AllToAllDispatch(
                                x, ids, weights, tokens, spec.experts(), allToAll.get(), chosen.exchange()));
        experts(to, x.y(), ids.y(), weights.y(), chosen.load(), partial);
        to.launch(
                allToAll.isEmpty()
                        ? new ReduceScatter(partial, result, tokens)
                        : new AllToAllCombine(
                                partial,
                                chosen.ids(),
                                result,
                                tokens,
                                spec.experts(),
                                allToAll.get(),
                                to.traffic().wire(),
                                chosen.exchange()));
    }

    /** What this rank's experts make of their tokens among {@code hidden [T,H]}, added up for each token. */
    private void experts(
            Emission to, TensorRef hidden, TensorRef ids, TensorRef weights, ExpertLoad load, TensorRef result) {
        long tokens = hidden.dim(0);
        int topK = spec.topK();
        long pairCount = tokens * topK;
        TensorRef offsets = to.tensor("offsets", DType.I32, own.size() + 1);
        TensorRef pairs = to.tensor("pairs", DType.I32, pairCount);
        TensorRef slots = to.tensor("slots", DType.I32, tokens, topK);
        to.launch(new SortByExpert(ids, offsets, pairs, slots, (int) own.from()));
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
