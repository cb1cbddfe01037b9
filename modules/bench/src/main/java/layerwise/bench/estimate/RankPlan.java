package layerwise.bench.estimate;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import layerwise.bench.config.RunConfig;
import layerwise.bench.config.RunType;
import layerwise.bench.exchange.Balancing;
import layerwise.bench.exchange.Exchange;
import layerwise.bench.exchange.Links;
import layerwise.bench.moe.ExpertPath;
import layerwise.kernels.CudaExecutor;
import layerwise.model.cache.PagedCache;
import layerwise.model.cache.RotaryTable;
import layerwise.model.layer.DecoderSlice;
import layerwise.model.layer.Phase;
import layerwise.model.layer.Traffic;
import layerwise.model.parallel.Mapping;
import layerwise.model.parallel.WeakScaling;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightSource;
import layerwise.model.weights.WeightTable;
import layerwise.op.Batch;
import layerwise.op.Program;
import layerwise.op.RankGroup;
import layerwise.trace.ProblemSpec;

/**
 * What one rank of a run does: the layers, mapping, exchange and fusions that it would have on the device, and no tensor's
 * memory.
 */
final class RankPlan {
    private final RunConfig config;
    private final PagedCache cache;
    private final WeightTable weights;
    private final DecoderSlice slice;
    private final Optional<RotaryTable> rotary;
    private final Balancing balancing;
    private final Exchange exchange;

    /**
     * Plans a rank.
     *
     * @param whole       the model, before {@code scaled_from}
     * @param localRanks  ranks of one machine
     * @param links       what joins the ranks
     * @param environment variables that force methods
     * @throws layerwise.tensor.ConfigException if the layers do not divide over the ranks, or options contradict each other
     */
    RankPlan(
            RunConfig config,
            ModelSpec whole,
            RankGroup group,
            int localRanks,
            Links links,
            Map<String, String> environment) {
        this.config = config;
        Mapping mapping = new Mapping(group, config.attentionDp());
        ModelSpec model = config.scaledFrom().isPresent()
                ? new WeakScaling(config.scaledFrom().getAsInt(), mapping).of(whole)
                : whole;
        config.layerIndices().forEach(model::layer);
        cache = new PagedCache(
                config.limits().maxBatchSize(),
                config.limits().tokensPerBlock(),
                config.limits().maxSeqLen());
        weights = new WeightTable(model, new WeightSource.Dummy());
        slice = new DecoderSlice(
                model, config.layerIndices(), weights, cache, model.dtype(), config.cacheTypes(model), mapping);
        rotary = RotaryTable.of(model, config.layerIndices(), config.limits().maxSeqLen());
        balancing = new Balancing(model, config.layerIndices(), mapping, config.balanceMethod(), environment);
        exchange = Exchange.of(config, mapping, balancing.topK(), localRanks, links, environment);
    }

    /** Bytes of the rank's weights and caches. */
    long bytes() {
        return weights.bytes() + slice.cacheBytes();
    }

    /** What ranks send each other in a problem's step. */
    Traffic traffic(ProblemSpec problem) {
        return exchange.traffic(problem.tokens());
    }

    Balancing balancing() {
        return balancing;
    }

    /** For people: what happens between ranks. */
    String exchange() {
        return exchange.toString();
    }

    /** A problem's step as the layers emit it. */
    Program plain(ProblemSpec problem) {
        Traffic traffic = traffic(problem);
        OptionalDouble ratio = problem.balanceRatio();
        Batch batch = Batch.uniform(problem.batchSize(), problem.seqLenQ(), problem.seqLenKvCache());
        return slice.benchmark(
                        config.runType() == RunType.GEN ? Phase.GENERATION : Phase.CONTEXT,
                        cache.tables("step", 0, batch).paged(),
                        rotary.map(RotaryTable::tensor),
                        balancing.table(traffic, ratio).choice(),
                        traffic)
                .program();
    }

    /** A problem's step as a GPU runs it. */
    Program step(ProblemSpec problem) {
        Program plain = plain(problem);
        return ExpertPath.of(config.configFile() + ": moe_backend", config.moe().backend(), plain)
                .apply(plain, CudaExecutor.fused());
    }
}
