package layerwise.model.cache;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import layerwise.model.spec.IndexerSpec;
import layerwise.model.spec.MlaSpec;
import layerwise.op.Buffer;
import layerwise.op.Contents;
import layerwise.op.IndexKeys;
import layerwise.op.Memory;
import layerwise.op.PackedLatent;
import layerwise.tensor.DType;

/**
 * What the sequences of one layer with latent attention leave behind.
 *
 * @param latents {@code [pages, pageTokens, R+D]}, or packed rows
 * @param keys    of the indexer, where there is one
 */
public record LatentCache(Buffer latents, Optional<IndexKeys> keys) {
    /** Raw bytes below this make finite numbers, whatever they stand for in a packed row. */
    private static final int FINITE = 64;

    /**
     * Of a layer.
     *
     * @param prefix of the buffers' names
     * @param dtype  of cached latents; E4M3 is packed with scales where attention gathers rows, as FlashMLA lays them out
     * @param compute type of activations; float32 is not quantised
     */
    public static LatentCache of(String prefix, MlaSpec mla, PagedCache cache, DType dtype, DType compute) {
        boolean packed = mla.indexer().isPresent() && dtype == DType.E4M3;
        long width = packed ? PackedLatent.bytes(mla.latentRank(), mla.ropeDim()) : mla.cacheDim();
        return new LatentCache(
                Buffer.of(prefix + "cache", packed ? DType.I8 : dtype, cache.pages(), cache.pageTokens(), width),
                mla.indexer().map(indexer -> keys(prefix, indexer, cache, compute)));
    }

    private static IndexKeys keys(String prefix, IndexerSpec indexer, PagedCache cache, DType compute) {
        DType elements = compute == DType.F32 ? DType.F32 : DType.E4M3;
        return new IndexKeys(
                Buffer.of(prefix + "index_keys", elements, cache.pages(), cache.pageTokens(), indexer.headDim())
                        .whole(),
                Buffer.of(prefix + "index_scales", DType.F32, cache.pages(), cache.pageTokens())
                        .whole());
    }

    private List<Buffer> buffers() {
        return Stream.concat(
                        Stream.of(latents),
                        keys.stream()
                                .flatMap(k -> Stream.of(
                                        k.elements().buffer(), k.scales().buffer())))
                .toList();
    }

    /** Bytes of all of it. */
    public long bytes() {
        return buffers().stream().mapToLong(Buffer::bytes).sum();
    }

    /** Gives it its place. Noise for packed rows is of raw bytes. */
    public void place(Memory memory, Contents contents) {
        for (Buffer buffer : buffers()) {
            memory.put(
                    buffer,
                    contents instanceof Contents.Uniform noise && buffer.dtype() == DType.I8
                            ? new Contents.RandomBytes(FINITE, noise.seed(), noise.region())
                            : contents);
        }
    }
}
