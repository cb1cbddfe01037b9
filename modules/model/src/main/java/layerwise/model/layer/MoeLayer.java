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
import layerwise.op.ExchangeLoad;
import layerwise.op.ExpertLoad;
import layerwise.op.Linear;
import layerwise.op.RankTokens;
import layerwise.op.ReduceScatter;
import layerwise.op.Route;
import layerwise.op.Routing;
import layerwise.op.SigmoidGate;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.tensor.DType;

/**
 * A mixture of experts: router, routed experts, and shared experts beside them. Each rank has some of the routed
 * experts. Under attention tensor parallelism all ranks hold all tokens, compute their experts' and their part of the shared
 * experts' share of the sum, and add up; under data parallelism tokens travel to their experts and back.
 */
final class MoeLayer implements SubLayer {
    private final MoeSpec spec;
    private final Mapping mapping;
    private final MoeBlock block;
    private final Weight router;
    private final Optional<TensorRef> bias;
    private final RoutedExperts experts;
    private final Optional<? extends SubLayer> shared;
    private final Optional<Weight> sharedGate;

    MoeLayer(ModelSpec model, MoeSpec spec, WeightTable weights, String prefix, Mapping mapping) {
        this.spec = spec;
        this.mapping = mapping;
        this.block = MoeBlock.of(model.family());
        int hidden = model.hidden();
        router = weights.router(new Part(prefix + "gate", spec.experts()), hidden);
        bias = switch (spec.routing()) {
            case Routing.SigmoidGroups groups ->
                Optional.of(weights.floats(prefix + "gate.e_score_correction_bias", spec.experts()));
            case Routing.Softmax softmax -> Optional.empty();
        };
        experts = new RoutedExperts(model, spec, weights, prefix + "experts.", mapping);
        shared = spec.sharedIntermediate() == 0
                ? Optional.empty()
                : shared(weights, prefix + block.sharedModule(), hidden);
        sharedGate = shared.isEmpty()
                ? Optional.empty()
                : block.sharedGate().map(gate -> weights.router(new Part(prefix + gate, 1), hidden));
    }

    private Optional<? extends SubLayer> shared(WeightTable weights, String prefix, int hidden) {
        int width = spec.sharedIntermediate();
        return switch (spec.activation()) {
            case SWIGLU -> GatedMlp.of(weights, prefix, hidden, width, mapping);
            case SQUARED_RELU -> SquaredReluMlp.of(weights, prefix, hidden, width, mapping, Optional.empty());
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
                result[0] = to.reduced(routed(to, hidden));
                return;
            }
            to.program()
                    .concurrently(
                            () -> parts[0] = routed(to, hidden),
                            () -> parts[1] = shared(to.within("shared"), hidden, shared.get()));
            TensorRef sum = to.activation("output", to.tokens(), hidden.dim(1));
            to.launch(new Add(parts[0], parts[1], sum));
            result[0] = to.reduced(sum);
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
            Emission to, TensorRef logits, TensorRef ids, TensorRef weights, RankTokens tokens, int chunk) {
        if (tokens.own() > 0) {
            to.launch(new Route(logits, bias, ids, weights, spec.routing()));
        }
        return switch (to.choice()) {
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
            experts.emit(to, hidden, chosen.ids(), chosen.weights(), chosen.load(), result);
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
        experts.emit(to, x.y(), ids.y(), weights.y(), chosen.load(), partial);
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
}
