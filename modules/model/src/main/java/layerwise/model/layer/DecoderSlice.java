package layerwise.model.layer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import layerwise.model.cache.LatentCache;
import layerwise.model.cache.PagedCache;
import layerwise.model.parallel.Mapping;
import layerwise.model.spec.MlaSpec;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightTable;
import layerwise.op.Contents;
import layerwise.op.Memory;
import layerwise.op.PagedBatch;
import layerwise.op.Program;
import layerwise.op.RmsNorm;
import layerwise.op.TensorRef;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;

/**
 * Contiguous decoder layers of a model: their weights, their caches, and the programs of their steps.
 *
 * <p>Within a model each layer's input norm belongs to the layer before, which adds and normalises in one pass. The
 * benchmark cuts there: its input is normalised, its last step is the next layer's input norm.
 */
public final class DecoderSlice {
    private final ModelSpec model;
    private final DType dtype;
    private final Mapping mapping;
    private final Map<Integer, DecoderLayer> layers = new LinkedHashMap<>();
    private final Map<Integer, LatentCache> caches = new LinkedHashMap<>();
    private final Map<Integer, TensorRef> inputGains = new LinkedHashMap<>();

    /**
     * Asks for the weights of the layers and of the norm after them.
     *
     * @param indices    ascending, without gaps
     * @param dtype      of activations
     * @param cacheDtype of cached latents
     * @param mapping    which part of the layers is this rank's
     * @throws ConfigException if a layer does not exist, there are gaps, or a layer does not divide over the ranks
     */
    public DecoderSlice(
            ModelSpec model,
            List<Integer> indices,
            WeightTable weights,
            PagedCache cache,
            DType dtype,
            DType cacheDtype,
            Mapping mapping) {
        this.model = model;
        this.dtype = dtype;
        this.mapping = mapping;
        if (indices.isEmpty()) {
            throw new ConfigException("layer_indices: expected at least one layer");
        }
        for (int i = 1; i < indices.size(); i++) {
            if (indices.get(i) != indices.get(i - 1) + 1) {
                throw new ConfigException("layer_indices: %s is not contiguous and ascending: expected %d after %d"
                        .formatted(indices, indices.get(i - 1) + 1, indices.get(i - 1)));
            }
        }
        for (int index : indices) {
            LatentCache kept = switch (model.layer(index).mixer()) {
                case MlaSpec mla -> LatentCache.of("layers." + index + ".", mla, cache, cacheDtype, dtype);
            };
            caches.put(index, kept);
            layers.put(index, new DecoderLayer(model, index, weights, kept, mapping));
        }
        for (int index : indices) {
            inputGains.put(index + 1, weights.gain(nextNorm(index), model.hidden()));
        }
    }

    /** The layers of one rank alone. */
    public DecoderSlice(
            ModelSpec model,
            List<Integer> indices,
            WeightTable weights,
            PagedCache cache,
            DType dtype,
            DType cacheDtype) {
        this(model, indices, weights, cache, dtype, cacheDtype, Mapping.alone());
    }

    private String nextNorm(int index) {
        return model.isLast(index) ? "model.norm" : DecoderLayer.prefix(index + 1) + "input_layernorm";
    }

    /** Bytes of the caches. */
    public long cacheBytes() {
        return caches.values().stream().mapToLong(LatentCache::bytes).sum();
    }

    /** Gives the caches their place. */
    public void placeCaches(Memory memory, Contents contents) {
        caches.values().forEach(cache -> cache.place(memory, contents));
    }

    /**
     * A step as the benchmark runs it.
     *
     * @param program  hidden states and residual of the last layer are its outputs, in this order
     * @param hidden   {@code [T,H]} input, taken as normalised
     * @param residual {@code [T,H]} input
     */
    public record Benchmark(Program program, TensorRef hidden, TensorRef residual) {}

    /** The benchmark's step of one rank alone. */
    public Benchmark benchmark(Phase phase, PagedBatch paged, TensorRef rotary, ExpertChoice choice) {
        return benchmark(
                phase, paged, rotary, choice, Traffic.alone(paged.batch().tokens()));
    }

    /** The benchmark's step: every layer, each followed by the input norm of the next. */
    public Benchmark benchmark(Phase phase, PagedBatch paged, TensorRef rotary, ExpertChoice choice, Traffic traffic) {
        Emission to = emission(phase, paged, rotary, traffic);
        TensorRef hiddenIn = to.activation("hidden_states", to.tokens(), model.hidden());
        TensorRef residualIn = to.activation("residual", to.tokens(), model.hidden());
        TensorRef hidden = hiddenIn;
        TensorRef residual = residualIn;
        for (Map.Entry<Integer, DecoderLayer> layer : layers.entrySet()) {
            residual = layer.getValue().emit(to, hidden, residual, choice).residual();
            hidden = inputNorm(to, layer.getKey() + 1, residual, inputGains.get(layer.getKey() + 1));
        }
        return new Benchmark(to.program().build(List.of(hidden, residual)), hiddenIn, residualIn);
    }

    private Emission emission(Phase phase, PagedBatch paged, TensorRef rotary, Traffic traffic) {
        if (traffic.tokens().own() != paged.batch().tokens()
                || !traffic.tokens().group().equals(mapping.group())) {
            throw new IllegalArgumentException("%s for %d tokens of %s"
                    .formatted(traffic.tokens(), paged.batch().tokens(), mapping));
        }
        return new Emission(Program.builder(), phase, paged, rotary, dtype, "", mapping, traffic);
    }

    private TensorRef inputNorm(Emission to, int index, TensorRef residual, TensorRef gain) {
        TensorRef normed = to.activation("layers." + index + ".input", to.tokens(), model.hidden());
        to.launch(new RmsNorm(residual, gain, normed, model.epsilon()));
        return normed;
    }

    /**
     * A step as the model itself runs it.
     *
     * @param input   {@code [T,H]}, the residual stream before the first layer's input norm
     * @param results what each layer leaves; all of it is an output of the program
     */
    public record Forward(Program program, TensorRef input, Map<Integer, LayerResult> results) {}

    /**
     * What one layer leaves.
     *
     * @param mixer  {@code [T,H]}, output of attention
     * @param mlp    {@code [T,H]}, output of the MLP or mixture of experts
     * @param output {@code [T,H]}, the residual stream after the layer
     * @param ids    {@code [T,k]} int32, what the router chose, where there is one
     */
    public record LayerResult(TensorRef mixer, TensorRef mlp, TensorRef output, Optional<TensorRef> ids) {}

    /** How a layer routes, where it does. */
    public Optional<Router> router(int index) {
        return layers.get(index).router();
    }

    /**
     * The plain decoder's step.
     *
     * @param firstGain the first layer's own input norm
     */
    public Forward forward(Phase phase, PagedBatch paged, TensorRef rotary, TensorRef firstGain, Traffic traffic) {
        Emission to = emission(phase, paged, rotary, traffic);
        TensorRef input = to.activation("input", to.tokens(), model.hidden());
        TensorRef residual = input;
        TensorRef gain = firstGain;
        Map<Integer, LayerResult> results = new LinkedHashMap<>();
        List<TensorRef> outputs = new ArrayList<>();
        for (Map.Entry<Integer, DecoderLayer> layer : layers.entrySet()) {
            int index = layer.getKey();
            TensorRef hidden = inputNorm(to, index, residual, gain);
            DecoderLayer.Result result = layer.getValue().emit(to, hidden, residual, new ExpertChoice.Routed());
            results.put(index, new LayerResult(result.mixer(), result.mlp(), result.residual(), result.ids()));
            result.ids().ifPresent(outputs::add);
            outputs.addAll(List.of(result.mixer(), result.mlp(), result.residual()));
            residual = result.residual();
            gain = inputGains.get(index + 1);
        }
        return new Forward(to.program().build(outputs), input, results);
    }

    /** The first layer's own input norm, for {@link #forward}; asked for apart, since the benchmark does not have it. */
    public static TensorRef firstGain(ModelSpec model, int index, WeightTable weights) {
        return weights.gain(DecoderLayer.prefix(index) + "input_layernorm", model.hidden());
    }
}
