package layerwise.bench.noise;

import java.util.Optional;
import layerwise.bench.config.RunConfig;
import layerwise.model.cache.PagedCache;
import layerwise.model.cache.RotaryTable;
import layerwise.model.layer.DecoderSlice;
import layerwise.model.layer.ExpertChoice;
import layerwise.model.layer.Phase;
import layerwise.model.layer.Traffic;
import layerwise.model.parallel.Mapping;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightSource;
import layerwise.model.weights.WeightTable;
import layerwise.op.Batch;
import layerwise.op.Memory;
import layerwise.trace.ProblemSpec;

/** One rank's layers of a configuration; their weights are reproducible noise, their caches as large as a problem needs. */
public final class NoiseLayers {
    private final RunConfig config;
    private final ModelSpec model;
    private final Mapping mapping;
    private final long seed;
    private final WeightTable weights;

    /**
     * Lays them out.
     *
     * @param model after {@code scaled_from}
     */
    public NoiseLayers(RunConfig config, ModelSpec model, Mapping mapping, long seed) {
        this.config = config;
        this.model = model;
        this.mapping = mapping;
        this.seed = seed;
        weights = new WeightTable(model, new WeightSource.Noise(seed));
        slice(cache(config.problems().getFirst())); // layers ask the table for their weights
    }

    private PagedCache cache(ProblemSpec problem) {
        return new PagedCache(
                problem.batchSize(), config.limits().tokensPerBlock(), problem.seqLenQ() + problem.seqLenKvCache());
    }

    private DecoderSlice slice(PagedCache cache) {
        return new DecoderSlice(
                model, config.layerIndices(), weights, cache, model.dtype(), config.cacheTypes(model), mapping);
    }

    /** Puts the weights into memory. */
    public void placeWeights(Memory memory) {
        weights.place(memory);
    }

    /** A step over caches of the problem's size; the weights are the same for all. */
    public NoiseStep step(Phase phase, ProblemSpec problem, ExpertChoice choice, Traffic traffic) {
        PagedCache cache = cache(problem);
        DecoderSlice layers = slice(cache);
        Optional<RotaryTable> rotary = RotaryTable.of(model, config.layerIndices(), cache.requestTokens());
        NoiseStep.Tables tables = new NoiseStep.Tables(
                rotary,
                cache.tables(
                        "step", 0, Batch.uniform(problem.batchSize(), problem.seqLenQ(), problem.seqLenKvCache())));
        DecoderSlice.Benchmark benchmark =
                layers.benchmark(phase, tables.batch().paged(), rotary.map(RotaryTable::tensor), choice, traffic);
        return new NoiseStep(layers, tables, benchmark, seed);
    }
}
