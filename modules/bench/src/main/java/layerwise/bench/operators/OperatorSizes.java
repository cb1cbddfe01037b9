package layerwise.bench.operators;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import layerwise.op.Add;
import layerwise.op.AddRmsNorm;
import layerwise.op.AllGather;
import layerwise.op.AllReduce;
import layerwise.op.AllToAllCombine;
import layerwise.op.AllToAllDispatch;
import layerwise.op.Batch;
import layerwise.op.CausalConv1d;
import layerwise.op.Combine;
import layerwise.op.DeltaRule;
import layerwise.op.DeltaRuleChunkScan;
import layerwise.op.DeltaRuleUpdate;
import layerwise.op.ExpertLoad;
import layerwise.op.GatedGroupedLinear;
import layerwise.op.GatedRmsNorm;
import layerwise.op.GatherRows;
import layerwise.op.GqaDecodeAttention;
import layerwise.op.GqaPrefillAttention;
import layerwise.op.GroupedLinear;
import layerwise.op.GroupedLinearCombine;
import layerwise.op.HeadLinear;
import layerwise.op.IndexKeyAppend;
import layerwise.op.IndexLogits;
import layerwise.op.IndexQuery;
import layerwise.op.IndexTopK;
import layerwise.op.L2Norm;
import layerwise.op.LatentAppend;
import layerwise.op.LatentGather;
import layerwise.op.Linear;
import layerwise.op.MlaDecodeAttention;
import layerwise.op.MlaPrefillAttention;
import layerwise.op.MlaRopeAppend;
import layerwise.op.Operator;
import layerwise.op.PackedLatent;
import layerwise.op.PoolRows;
import layerwise.op.RankTokens;
import layerwise.op.ReduceScatter;
import layerwise.op.RmsNorm;
import layerwise.op.Rotary;
import layerwise.op.RoundRows;
import layerwise.op.Route;
import layerwise.op.Routing;
import layerwise.op.SigmoidGate;
import layerwise.op.SortByExpert;
import layerwise.op.SparseMlaAttention;
import layerwise.op.SquaredRelu;
import layerwise.op.SsdChunkScan;
import layerwise.op.SsdStateUpdate;
import layerwise.op.StateSpace;
import layerwise.op.SwiGlu;
import layerwise.op.SwiGluRoundRows;
import layerwise.op.TensorRef;
import layerwise.op.Weight;

/**
 * The sizes of an operator one by one, for programs that time the same with other software.
 *
 * @param pairs values by name: numbers without units, formats in lower case
 */
record OperatorSizes(Map<String, String> pairs) {
    OperatorSizes {
        pairs = Collections.unmodifiableMap(new LinkedHashMap<>(pairs));
    }

    static OperatorSizes of(Operator operator) {
        return new OperatorSizes(pairs(operator).pairs);
    }

    private static Pairs pairs(Operator operator) {
        return switch (operator) {
            case Linear op -> matrix(rows(op.x()), op.w()).and("out", op.y().dtype());
            case HeadLinear op ->
                rows(op.x())
                        .and("heads", op.x().dim(1))
                        .and("n", op.y().dim(2))
                        .and("k", op.x().dim(2))
                        .and("format", format(op.w()))
                        .and("transposed", op.transposed());
            case RmsNorm op -> wide(op.x());
            case Add op -> wide(op.a());
            case AddRmsNorm op -> wide(op.x());
            case SwiGlu op ->
                new Pairs().and("rows", op.rows()).and("width", op.y().dim(1));
            case SwiGluRoundRows op ->
                new Pairs().and("rows", op.rows()).and("width", op.y().width()).and("scales", op.format());
            case RoundRows op ->
                new Pairs().and("rows", op.rows()).and("width", op.y().width()).and("scales", op.format());
            case SquaredRelu op ->
                new Pairs().and("rows", op.rows()).and("width", op.y().dim(1));
            case Rotary op -> rotary(op);
            case LatentAppend op ->
                batch(op.paged().batch()).and("width", op.cache().dim(2)).and("cache", cached(op.cache()));
            case LatentGather op ->
                batch(op.paged().batch())
                        .and("rows", op.rows().dim(0))
                        .and("width", op.cache().dim(2))
                        .and("cache", cached(op.cache()));
            case MlaRopeAppend op ->
                rotary(op.query())
                        .and("latent", op.norm().x().dim(1))
                        .and("cache", cached(op.append().cache()));
            case MlaPrefillAttention op -> latent(op.paged().batch(), op.q(), op.out());
            case MlaDecodeAttention op ->
                latent(op.paged().batch(), op.q(), op.out()).and("cache", cached(op.cache()));
            case SparseMlaAttention op ->
                latent(op.batch(), op.q(), op.out())
                        .and("top_k", op.rows().dim(1))
                        .and("cache", cached(op.cache()));
            case IndexQuery op -> heads(op.q()).and("format", op.y().dtype());
            case IndexKeyAppend op ->
                batch(op.paged().batch())
                        .and("head_dim", op.k().dim(1))
                        .and("format", op.keys().elements().dtype());
            case IndexLogits op ->
                batch(op.paged().batch())
                        .and("first", op.first())
                        .and("tokens", op.q().dim(0))
                        .and("heads", op.q().dim(1))
                        .and("head_dim", op.q().dim(2))
                        .and("format", op.q().dtype());
            case IndexTopK op ->
                rows(op.logits())
                        .and("width", op.logits().dim(1))
                        .and("top_k", op.indices().dim(1))
                        .and("visible", op.visible());
            case PoolRows op -> rows(op.rows()).and("top_k", op.rows().dim(1)).and("page_tokens", op.pageTokens());
            case GqaPrefillAttention op ->
                grouped(op.paged().batch(), op.q(), op.k().dim(1));
            case GqaDecodeAttention op ->
                grouped(op.paged().batch(), op.q(), op.kvHeads()).and("cache", cached(op.cache()));
            case Route op -> route(op);
            case SortByExpert op -> rows(op.ids()).and("top_k", op.ids().dim(1)).and("experts", op.experts());
            case GatherRows op ->
                rows(op.x().data())
                        .and("rows", op.rows())
                        .and("width", op.y().width())
                        .and("top_k", op.topK())
                        .and("format", op.y().data().dtype());
            case GroupedLinear op -> experts(op.load(), op.w());
            case GatedGroupedLinear op -> experts(op.load(), op.w());
            case GroupedLinearCombine op ->
                experts(op.load(), op.w())
                        .and("tokens", op.slots().dim(0))
                        .and("top_k", op.slots().dim(1));
            case Combine op ->
                rows(op.y())
                        .and("top_k", op.slots().dim(1))
                        .and("width", op.y().dim(1))
                        .and("rows", op.rows());
            case CausalConv1d op ->
                batch(op.paged().batch())
                        .and("channels", op.x().dim(1))
                        .and("taps", op.width())
                        .and("bias", op.bias().isPresent());
            case SsdChunkScan op -> states(op.ssm()).and("chunk", op.chunk());
            case SsdStateUpdate op -> states(op.ssm());
            case DeltaRuleChunkScan op -> states(op.rule()).and("chunk", op.chunk());
            case DeltaRuleUpdate op -> states(op.rule());
            case GatedRmsNorm op -> heads(op.x()).and("order", op.order());
            case L2Norm op -> heads(op.x());
            case SigmoidGate op -> heads(op.x()).and("gates", op.gate().shape().elements());
            case AllReduce op -> wide(op.x()).and("ranks", op.group().size());
            case AllGather op ->
                ranks(op.tokens()).and("width", op.parts().getFirst().x().dim(1));
            case ReduceScatter op -> ranks(op.tokens()).and("width", op.x().dim(1));
            case AllToAllDispatch op ->
                ranks(op.tokens())
                        .and("width", op.x().x().dim(1))
                        .and("experts", op.experts())
                        .and("top_k", op.ids().x().dim(1));
            case AllToAllCombine op ->
                ranks(op.tokens())
                        .and("width", op.x().dim(1))
                        .and("experts", op.experts())
                        .and("top_k", op.ids().dim(1))
                        .and("wire", op.wire());
        };
    }

    /** Pairs in the order in which they are added. */
    private static final class Pairs {
        private final Map<String, String> pairs = new LinkedHashMap<>();

        Pairs and(String name, Object value) {
            pairs.put(name, value instanceof Enum<?> constant ? lower(constant) : value.toString());
            return this;
        }
    }

    private static Pairs rows(TensorRef tensor) {
        return new Pairs().and("tokens", tensor.dim(0));
    }

    private static Pairs wide(TensorRef x) {
        return x.rank() == 3 ? heads(x) : rows(x).and("width", x.dim(1));
    }

    private static Pairs heads(TensorRef x) {
        return rows(x).and("heads", x.dim(1)).and("head_dim", x.dim(2));
    }

    private static Pairs matrix(Pairs pairs, Weight w) {
        return pairs.and("n", w.n()).and("k", w.k()).and("format", format(w));
    }

    private static Pairs experts(ExpertLoad load, Weight w) {
        Pairs pairs = new Pairs()
                .and("rows", load.rows())
                .and("experts", w.data().dim(0))
                .and("active", String.format(Locale.ROOT, "%.1f", load.activeExperts()));
        return matrix(pairs, w);
    }

    private static Pairs batch(Batch batch) {
        return new Pairs()
                .and("batch", batch.sequences())
                .and("queries", each(batch.queries()))
                .and("past", each(batch.past()));
    }

    /** The number that all sequences have, else all of theirs. */
    private static String each(List<Integer> numbers) {
        return numbers.stream().distinct().count() == 1
                ? numbers.getFirst().toString()
                : numbers.stream().map(String::valueOf).collect(Collectors.joining(":"));
    }

    private static Pairs latent(Batch batch, TensorRef q, TensorRef out) {
        return batch(batch).and("heads", q.dim(1)).and("qk_dim", q.dim(2)).and("v_dim", out.dim(2));
    }

    private static Pairs grouped(Batch batch, TensorRef q, long kvHeads) {
        return batch(batch).and("heads", q.dim(1)).and("kv_heads", kvHeads).and("head_dim", q.dim(2));
    }

    private static Pairs rotary(Rotary op) {
        return heads(op.x()).and("layout", op.layout());
    }

    private static Pairs route(Route op) {
        Pairs pairs = rows(op.logits())
                .and("experts", op.logits().dim(1))
                .and("top_k", op.ids().dim(1));
        return switch (op.routing()) {
            case Routing.SigmoidGroups rule ->
                pairs.and("scores", "sigmoid").and("groups", rule.groups()).and("top_groups", rule.topGroups());
            case Routing.Softmax _ -> pairs.and("scores", "softmax");
        };
    }

    private static Pairs states(StateSpace ssm) {
        return batch(ssm.paged().batch())
                .and("heads", ssm.heads())
                .and("head_dim", ssm.headDim())
                .and("groups", ssm.groups())
                .and("state_dim", ssm.stateDim())
                .and("state", ssm.state().dtype());
    }

    private static Pairs states(DeltaRule rule) {
        return batch(rule.paged().batch())
                .and("heads", rule.valueHeads())
                .and("key_heads", rule.keyHeads())
                .and("key_dim", rule.keyDim())
                .and("value_dim", rule.valueDim())
                .and("state", rule.state().dtype());
    }

    private static Pairs ranks(RankTokens tokens) {
        return new Pairs()
                .and("tokens", tokens.total())
                .and("ranks", tokens.group().size());
    }

    private static String format(Weight w) {
        return lower(w.format());
    }

    private static String cached(TensorRef cache) {
        return PackedLatent.holds(cache) ? "packed" : lower(cache.dtype());
    }

    private static String lower(Enum<?> name) {
        return name.name().toLowerCase(Locale.ROOT);
    }

    /** As in {@code tokens=128 n=7168 k=2048 format=bf16}. */
    @Override
    public String toString() {
        return pairs.entrySet().stream()
                .map(pair -> pair.getKey() + "=" + pair.getValue())
                .collect(Collectors.joining(" "));
    }
}
