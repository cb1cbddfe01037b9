package layerwise.model.parallel;

import java.util.List;
import layerwise.model.spec.Mamba2Spec;
import layerwise.op.Share;
import layerwise.tensor.ConfigException;

/**
 * What a rank has of a Mamba-2 mixer: heads, and the groups whose b and c they share.
 *
 * @param spec   the whole mixer
 * @param heads  this rank's heads
 * @param groups their groups
 */
public record Mamba2Share(Mamba2Spec spec, Share heads, Share groups) {
    /** @throws ConfigException if heads or groups do not divide over the ranks */
    public static Mamba2Share of(Mapping mapping, String model, Mamba2Spec spec) {
        return new Mamba2Share(spec, mapping.heads(model, spec.heads()), mapping.groups(model, spec.groups()));
    }

    /** Elements of the heads. */
    public Share inner() {
        return heads.times(spec.headDim());
    }

    /** Channels of the convolution: x, b and c. */
    public List<Share> channels() {
        return channels(0, spec.channels());
    }

    private List<Share> channels(long offset, long whole) {
        Share shared = groups.times(spec.stateDim());
        long b = offset + spec.inner();
        return List.of(
                inner().within(offset, whole), shared.within(b, whole), shared.within(b + shared.whole(), whole));
    }

    /** Rows of the input projection: z, x, b, c and dt. */
    public List<Share> inputRows() {
        long dt = (long) spec.inner() + spec.channels();
        long whole = dt + spec.heads();
        List<Share> channels = channels(spec.inner(), whole);
        return List.of(
                inner().within(0, whole), channels.get(0), channels.get(1), channels.get(2), heads.within(dt, whole));
    }
}
