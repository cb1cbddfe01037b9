package layerwise.model.layer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import layerwise.model.cache.CacheTypes;
import layerwise.model.cache.LayerCache;
import layerwise.model.cache.PagedCache;
import layerwise.model.parallel.Mapping;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightTable;
import layerwise.op.Add;
import layerwise.op.Contents;
import layerwise.op.Memory;
import layerwise.op.PagedBatch;
import layerwise.op.Program;
import layerwise.op.Region;
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
    /** Raw bytes below this make finite numbers, whatever they stand for in a packed row. */
    private static final int FINITE_BYTES = 64;

    private final ModelSpec model;
    private final DType dtype;
    private final Mapping mapping;
    private final Map<Integer, DecoderLayer> layers = new LinkedHashMap<>();
    private final Map<Integer, LayerCache> caches = new LinkedHashMap<>();
    private final Map<Integer, TensorRef> inputGains = new LinkedHashMap<>();

    /**
     * Asks for the weights of the layers and of the norm after them.
     *
     * @param indices ascending, without gaps
     * @param dtype   of activations
     * @param types   of what sequences leave behind
     * @param mapping which part of the layers is this rank's
     * @throws ConfigException if a layer does not exist, there are gaps, or a layer does not divide over the ranks
     */
    public DecoderSlice(
            ModelSpec model,
            List<Integer> indices,
            WeightTable weights,
            PagedCache cache,
            DType dtype,
            CacheTypes types,
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
            Optional<LayerCache> kept = model.layer(index)
                    .mixer()
                    .map(mixer -> LayerCache.of("layers." + index + ".", model, mixer, cache, types, mapping));
            kept.ifPresent(each -> caches.put(index, each));
            layers.put(index, new DecoderLayer(model, index, weights, kept, mapping));
        }
        for (int index : indices) {
            switch (model.family().cut()) {
                case AFTER_NEXT_NORM -> inputGains.put(index + 1, inputGain(model, index + 1, weights));
                case BEFORE_ADD -> inputGains.put(index, inputGain(model, index, weights));
            }
        }
    }

    /** The layers of one rank alone. */
    public DecoderSlice(
            ModelSpec model,
            List<Integer> indices,
            WeightTable weights,
            PagedCache cache,
            DType dtype,
            CacheTypes types) {
        this(model, indices, weights, cache, dtype, types, Mapping.alone());
    }

    private Stream<LayerCache.Part> cacheParts() {
        return caches.values().stream().flatMap(cache -> cache.parts().stream());
    }

    /** Bytes of the caches. */
    public long cacheBytes() {
        return cacheParts().mapToLong(part -> part.buffer().bytes()).sum();
    }

    /** Gives the caches their place. */
    public void placeCaches(Memory memory, Contents contents) {
        cacheParts().forEach(part -> memory.put(part.buffer(), contents));
    }

    /** Gives the caches their place, full of noise in [-1, 1): a rank's part is that of the noise on one rank alone. */
    public void placeNoise(Memory memory, long seed) {
        cacheParts().forEach(part -> memory.put(part.buffer(), noise(part, seed)));
    }

    private static Contents noise(LayerCache.Part part, long seed) {
        Optional<Region> region = part.region().isWhole() ? Optional.empty() : Optional.of(part.region());
        return part.buffer().dtype() == DType.I8
                ? new Contents.RandomBytes(FINITE_BYTES, seed, region)
                : new Contents.Uniform(-1, 1, seed, region);
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
    public Benchmark benchmark(Phase phase, PagedBatch paged, Optional<TensorRef> rotary, ExpertChoice choice) {
        return benchmark(
                phase, paged, rotary, choice, Traffic.alone(paged.batch().tokens()));
    }

    /**
     * The benchmark's step: every layer, each followed by the input norm of the next, or preceded by its own where the
     * model's family cuts there.
     *
     * @param rotary table of cosines and sines, where a layer rotates
     */
    public Benchmark benchmark(
            Phase phase, PagedBatch paged, Optional<TensorRef> rotary, ExpertChoice choice, Traffic traffic) {
        Emission to = emission(phase, paged, rotary, choice, traffic);
        TensorRef hiddenIn = to.activation("hidden_states", to.tokens(), model.hidden());
        TensorRef residualIn = to.activation("residual", to.tokens(), model.hidden());
        TensorRef hidden = hiddenIn;
        TensorRef residual = residualIn;
        for (Map.Entry<Integer, DecoderLayer> layer : layers.entrySet()) {
            int index = layer.getKey();
            switch (model.family().cut()) {
                case AFTER_NEXT_NORM -> {
                    residual = layer.getValue().emit(to, hidden, residual).residual();
                    hidden = inputNorm(to, index + 1, residual, inputGains.get(index + 1));
                }
                case BEFORE_ADD -> {
                    TensorRef sum = to.activation("layers." + index + ".residual", to.tokens(), model.hidden());
                    to.launch(new Add(hidden, residual, sum));
                    hidden = layer.getValue().emitFirst(to, inputNorm(to, index, sum, inputGains.get(index)));
                    residual = sum;
                }
            }
        }
        return new Benchmark(to.program().build(List.of(hidden, residual)), hiddenIn, residualIn);
    }

    private Emission emission(
            Phase phase, PagedBatch paged, Optional<TensorRef> rotary, ExpertChoice choice, Traffic traffic) {
        if (traffic.tokens().own() != paged.batch().tokens()
                || !traffic.tokens().group().equals(mapping.group())) {
            throw new IllegalArgumentException("%s for %d tokens of %s"
                    .formatted(traffic.tokens(), paged.batch().tokens(), mapping));
        }
        return new Emission(Program.builder(), phase, paged, rotary, choice, dtype, "", mapping, traffic);
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
     * @param mixer  {@code [T,H]}, output of the first or only half
     * @param mlp    {@code [T,H]}, output of the second half, where there is one
     * @param output {@code [T,H]}, the residual stream after the layer
     * @param ids    {@code [T,k]} int32, what the router chose, where there is one
     */
    public record LayerResult(TensorRef mixer, Optional<TensorRef> mlp, TensorRef output, Optional<TensorRef> ids) {}

    /**
     * How a layer routes, where it does.
     *
     * @param inputGain the layer's own input norm
     */
    public Optional<Router> router(int index, TensorRef inputGain) {
        return layers.get(index).router(inputGain);
    }

    /**
     * The plain decoder's step.
     *
     * @param rotary table of cosines and sines, where a layer rotates
     * @param gains  input norm of each layer: {@link #inputGain}
     */
    public Forward forward(
            Phase phase, PagedBatch paged, Optional<TensorRef> rotary, Map<Integer, TensorRef> gains, Traffic traffic) {
        Emission to = emission(phase, paged, rotary, new ExpertChoice.Routed(), traffic);
        TensorRef input = to.activation("input", to.tokens(), model.hidden());
        TensorRef residual = input;
        Map<Integer, LayerResult> results = new LinkedHashMap<>();
        List<TensorRef> outputs = new ArrayList<>();
        for (Map.Entry<Integer, DecoderLayer> layer : layers.entrySet()) {
            int index = layer.getKey();
            TensorRef hidden = inputNorm(to, index, residual, gains.get(index));
            DecoderLayer.Result result = layer.getValue().emit(to, hidden, residual);
            results.put(index, new LayerResult(result.mixer(), result.mlp(), result.residual(), result.ids()));
            result.ids().ifPresent(outputs::add);
            outputs.add(result.mixer());
            result.mlp().ifPresent(outputs::add);
            outputs.add(result.residual());
            residual = result.residual();
        }
        return new Forward(to.program().build(outputs), input, results);
    }

    /**
     * The input norm of a layer, or the final norm behind the last; asked for apart where the benchmark does not have it.
     */
    public static TensorRef inputGain(ModelSpec model, int index, WeightTable weights) {
        String name = index == model.layers().size()
                ? model.family().finalNorm()
                : model.family().inputNorm(index);
        return weights.norm(name, model.hidden());
    }
}
