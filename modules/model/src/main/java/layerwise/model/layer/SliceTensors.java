package layerwise.model.layer;

import java.lang.foreign.Arena;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedCollection;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import layerwise.model.cache.CacheTypes;
import layerwise.model.cache.PagedCache;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.AskedTensors;
import layerwise.model.weights.AskedTensors.Asked;
import layerwise.model.weights.BlankTensors;
import layerwise.model.weights.WeightSource;
import layerwise.model.weights.WeightTable;
import layerwise.tensor.ConfigException;
import layerwise.tensor.NamedTensors;

/**
 * The checkpoint's tensors that layers are made of, all ranks' parts together. The layers themselves say it: they are built
 * once for one rank, and what they ask for is noted, so that no list of names has to be kept beside them.
 */
public final class SliceTensors {
    /** What checkpoints hold for engines that quantise activations and caches with fixed scales, which nothing here does. */
    private static final List<String> NOT_OURS =
            List.of(".input_scale", ".k_scale", ".v_scale", ".rotary_emb.inv_freq");

    private SliceTensors() {}

    /** Every tensor that a checkpoint of the layers has: those of {@link #check}, and the first layer's input norm. */
    public static SequencedCollection<Asked> of(ModelSpec model, List<Integer> layers) {
        try (Arena arena = Arena.ofShared()) {
            AskedTensors tensors = new AskedTensors(new BlankTensors(arena));
            WeightTable weights = ask(model, layers, tensors);
            DecoderSlice.inputGain(model, layers.getFirst(), weights);
            return List.copyOf(tensors.asked());
        }
    }

    /**
     * Holds a checkpoint against what the layers are made of, before any of it is read.
     *
     * @throws ConfigException if a tensor of the layers is missing, of another shape or type, or there are tensors in the
     *     layers that nothing would read; the message names the first
     */
    public static void check(ModelSpec model, List<Integer> layers, NamedTensors checkpoint) {
        AskedTensors tensors = new AskedTensors(checkpoint);
        WeightTable weights = ask(model, layers, tensors);
        Set<String> used = new LinkedHashSet<>();
        tensors.asked().forEach(asked -> used.add(asked.name()));
        // The benchmark's input is normalised already, but its layers have the norm all the same.
        AskedTensors norm = new AskedTensors(checkpoint);
        DecoderSlice.inputGain(model, layers.getFirst(), new WeightTable(model, new WeightSource.Checkpoint(norm)));
        norm.asked().forEach(asked -> used.add(asked.name()));
        Set<String> prefixes = prefixes(used, layers);
        for (String name : checkpoint.names()) {
            if (!used.contains(name)
                    && prefixes.stream().anyMatch(name::startsWith)
                    && NOT_OURS.stream().noneMatch(name::endsWith)) {
                throw new ConfigException(
                        "%s: tensor '%s' is in a layer that has no use for it as %s: expected only %d tensors there"
                                .formatted(checkpoint.file(name), name, model.name(), used.size()));
            }
        }
    }

    /** Starts {@link #check} beside the caller; what it returns waits for the end of that and throws what it threw. */
    public static Runnable checking(ModelSpec model, List<Integer> layers, NamedTensors checkpoint) {
        FutureTask<Void> check = new FutureTask<>(() -> check(model, layers, checkpoint), null);
        Thread.ofPlatform().daemon().name("check").start(check);
        return () -> await(check);
    }

    private static void await(FutureTask<Void> check) {
        try {
            check.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while a checkpoint is checked", e);
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException failure -> throw failure;
                case Error failure -> throw failure;
                default -> throw new IllegalStateException(e);
            }
        }
    }

    private static WeightTable ask(ModelSpec model, List<Integer> layers, NamedTensors tensors) {
        layers.forEach(model::layer);
        WeightTable weights = new WeightTable(model, new WeightSource.Checkpoint(tensors));
        CacheTypes types = new CacheTypes(model.dtype(), model.dtype(), model.dtype());
        // Asks for the weights; caches of one page take no part in that.
        var _ = new DecoderSlice(model, layers, weights, new PagedCache(1, 1, 1), model.dtype(), types);
        return weights;
    }

    /** Where the names of the layers begin, as their tensors' names do: {@code model.layers.5.} */
    private static Set<String> prefixes(Set<String> names, List<Integer> layers) {
        List<String> marks = layers.stream().map("layers.%d."::formatted).toList();
        Set<String> prefixes = new HashSet<>();
        for (String name : names) {
            for (String mark : marks) {
                int at = name.indexOf(mark);
                if (at == 0 || (at > 0 && name.charAt(at - 1) == '.')) {
                    prefixes.add(name.substring(0, at + mark.length()));
                }
            }
        }
        return prefixes;
    }
}
