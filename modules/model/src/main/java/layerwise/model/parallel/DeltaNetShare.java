package layerwise.model.parallel;

import java.util.List;
import layerwise.model.spec.DeltaNetSpec;
import layerwise.op.Share;
import layerwise.tensor.ConfigException;

/**
 * What a rank has of a gated DeltaNet mixer: key heads, and the value heads that share them.
 *
 * @param spec       the whole mixer
 * @param keyHeads   this rank's key heads
 * @param valueHeads their value heads
 */
public record DeltaNetShare(DeltaNetSpec spec, Share keyHeads, Share valueHeads) {
    /** @throws ConfigException if heads do not divide over the ranks */
    public static DeltaNetShare of(Mapping mapping, String model, DeltaNetSpec spec) {
        Share keyHeads = mapping.heads(model, spec.keyHeads());
        return new DeltaNetShare(spec, keyHeads, keyHeads.times(spec.group()));
    }

    /** Elements of the keys. */
    public Share keys() {
        return keyHeads.times(spec.keyDim());
    }

    /** Elements of the values. */
    public Share values() {
        return valueHeads.times(spec.valueDim());
    }

    /** Channels of the convolution: queries, keys and values. */
    public List<Share> channels() {
        long whole = spec.channels();
        return List.of(
                keys().within(0, whole), keys().within(spec.keys(), whole), values().within(2L * spec.keys(), whole));
    }
}
