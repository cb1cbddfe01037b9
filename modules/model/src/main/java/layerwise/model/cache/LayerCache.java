package layerwise.model.cache;

import java.util.List;
import layerwise.model.spec.DeltaNetSpec;
import layerwise.model.spec.GqaSpec;
import layerwise.model.spec.Mamba2Spec;
import layerwise.model.spec.MixerSpec;
import layerwise.model.spec.MlaSpec;
import layerwise.op.Buffer;
import layerwise.op.TensorRef;

/** What the sequences of one layer leave behind for their next step. */
public sealed interface LayerCache {
    /** The buffers that hold it. */
    List<Buffer> buffers();

    /**
     * One row for each token, in pages.
     *
     * @param rows {@code [pages, pageTokens, R+D]} of latents, or {@code [pages, 2, G, pageTokens, D]} of keys and values
     */
    record Paged(TensorRef rows) implements LayerCache {
        @Override
        public List<Buffer> buffers() {
            return List.of(rows.buffer());
        }
    }

    /**
     * A state of fixed size for each request, changed in place.
     *
     * @param inputs {@code [requests, channels, K-1]}, the convolution's last inputs
     * @param state  {@code [requests, heads, .., ..]}
     */
    record Recurrent(TensorRef inputs, TensorRef state) implements LayerCache {
        @Override
        public List<Buffer> buffers() {
            return List.of(inputs.buffer(), state.buffer());
        }
    }

    /**
     * The cache that a mixer needs.
     *
     * @param prefix of its buffers' names
     */
    static LayerCache of(String prefix, MixerSpec mixer, PagedCache pages, CacheTypes types) {
        return switch (mixer) {
            case MlaSpec mla ->
                new Paged(Buffer.of(prefix + "cache", types.rows(), pages.pages(), pages.pageTokens(), mla.cacheDim())
                        .whole());
            case GqaSpec gqa ->
                new Paged(Buffer.of(
                                prefix + "cache",
                                types.rows(),
                                pages.pages(),
                                2,
                                gqa.kvHeads(),
                                pages.pageTokens(),
                                gqa.headDim())
                        .whole());
            case Mamba2Spec mamba ->
                recurrent(
                        prefix,
                        pages,
                        types,
                        mamba.channels(),
                        mamba.convWidth(),
                        mamba.heads(),
                        mamba.headDim(),
                        mamba.stateDim());
            case DeltaNetSpec net ->
                recurrent(
                        prefix,
                        pages,
                        types,
                        net.channels(),
                        net.convWidth(),
                        net.valueHeads(),
                        net.keyDim(),
                        net.valueDim());
        };
    }

    private static Recurrent recurrent(
            String prefix,
            PagedCache pages,
            CacheTypes types,
            int channels,
            int convWidth,
            int heads,
            int rows,
            int columns) {
        return new Recurrent(
                Buffer.of(prefix + "conv_state", types.inputs(), pages.requests(), channels, convWidth - 1)
                        .whole(),
                Buffer.of(prefix + "state", types.states(), pages.requests(), heads, rows, columns)
                        .whole());
    }
}
