package layerwise.bench.exchange;

import java.util.Map;
import java.util.Optional;
import layerwise.bench.config.RunConfig;
import layerwise.model.cache.PagedCache;
import layerwise.model.cache.RotaryTable;
import layerwise.model.layer.DecoderSlice;
import layerwise.model.layer.ExpertChoice;
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

/**
 * One rank's part of a run: its layers and what they exchange with other ranks', measured or estimated. No tensor has its
 * memory yet.
 *
 * @param model   after {@code scaled_from}
 * @param mapping how the layers are divided
 * @param cache   the pages of the layers' caches
 * @param rotary  table of cosines and sines, where a layer rotates
 */
public record RankSlice(
        ModelSpec model,
        Mapping mapping,
        PagedCache cache,
        WeightTable weights,
        DecoderSlice layers,
        Optional<RotaryTable> rotary,
        Balancing balancing,
        Exchange exchange) {
    /**
     * The part of a rank.
     *
     * @param whole       the model, before {@code scaled_from}
     * @param source      of weights
     * @param localRanks  ranks of one machine
     * @param links       what joins the ranks
     * @param environment variables that force methods
     * @throws layerwise.tensor.ConfigException if the layers do not divide over the ranks, or options contradict each other
     */
    public static RankSlice of(
            RunConfig config,
            ModelSpec whole,
            WeightSource source,
            RankGroup group,
            int localRanks,
            Links links,
            Map<String, String> environment) {
        Mapping mapping = new Mapping(group, config.attentionDp());
        ModelSpec model = config.scaledFrom().isPresent()
                ? new WeakScaling(config.scaledFrom().getAsInt(), mapping).of(whole)
                : whole;
        config.layerIndices().forEach(model::layer);
        PagedCache cache = new PagedCache(
                config.limits().maxBatchSize(),
                config.limits().tokensPerBlock(),
                config.limits().maxSeqLen());
        WeightTable weights = new WeightTable(model, source);
        DecoderSlice layers = new DecoderSlice(
                model, config.layerIndices(), weights, cache, model.dtype(), config.cacheTypes(model), mapping);
        Balancing balancing = new Balancing(model, config.layerIndices(), mapping, config.balanceMethod(), environment);
        return new RankSlice(
                model,
                mapping,
                cache,
                weights,
                layers,
                RotaryTable.of(model, config.layerIndices(), config.limits().maxSeqLen()),
                balancing,
                Exchange.of(config, mapping, balancing.topK(), localRanks, links, environment));
    }

    /** Bytes of the rank's weights and caches. */
    public long bytes() {
        return weights.bytes() + layers.cacheBytes();
    }

    /** A step as the layers emit it. */
    public Program step(Phase phase, Batch batch, ExpertChoice choice, Traffic traffic) {
        return layers.benchmark(
                        phase, cache.tables("step", 0, batch).paged(), rotary.map(RotaryTable::tensor), choice, traffic)
                .program();
    }
}
