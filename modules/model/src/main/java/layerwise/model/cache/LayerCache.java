package layerwise.model.cache;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import layerwise.model.parallel.DeltaNetShare;
import layerwise.model.parallel.Mamba2Share;
import layerwise.model.parallel.Mapping;
import layerwise.model.spec.DeltaNetSpec;
import layerwise.model.spec.GqaSpec;
import layerwise.model.spec.IndexerSpec;
import layerwise.model.spec.Mamba2Spec;
import layerwise.model.spec.MixerSpec;
import layerwise.model.spec.MlaSpec;
import layerwise.model.spec.ModelSpec;
import layerwise.op.Buffer;
import layerwise.op.IndexKeys;
import layerwise.op.PackedLatent;
import layerwise.op.Region;
import layerwise.op.Share;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;

/** What the sequences of one layer leave behind for their next step. */
public sealed interface LayerCache {
    /** The buffers that hold it. */
    List<Part> parts();

    /**
     * A buffer of a cache.
     *
     * @param buffer what this rank has
     * @param region what it is of the cache of one rank alone
     */
    record Part(Buffer buffer, Region region) {
        /** The whole buffer as a tensor. */
        public TensorRef tensor() {
            return buffer.whole();
        }
    }

    /**
     * One latent for each token, in pages, and the indexer's key where it chooses what attention reads.
     *
     * @param rows  {@code [pages, pageTokens, R+D]}, or packed as {@link PackedLatent} tells
     * @param index elements and scales of {@link IndexKeys}, or nothing
     */
    record Latents(Part rows, List<Part> index) implements LayerCache {
        public Latents {
            index = List.copyOf(index);
        }

        /** The indexer's keys as operators name them. */
        public Optional<IndexKeys> keys() {
            return index.isEmpty()
                    ? Optional.empty()
                    : Optional.of(new IndexKeys(
                            index.getFirst().tensor(), index.getLast().tensor()));
        }

        @Override
        public List<Part> parts() {
            return Stream.concat(Stream.of(rows), index.stream()).toList();
        }
    }

    /**
     * One row for each token, in pages.
     *
     * @param rows {@code [pages, pageTokens, 2·G·D]} of keys, then values
     */
    record Paged(Part rows) implements LayerCache {
        @Override
        public List<Part> parts() {
            return List.of(rows);
        }
    }

    /**
     * A state of fixed size for each request, changed in place.
     *
     * @param inputs {@code [requests, channels, K-1]}, the convolution's last inputs
     * @param state  {@code [requests, heads, .., ..]}
     */
    record Recurrent(Part inputs, Part state) implements LayerCache {
        @Override
        public List<Part> parts() {
            return List.of(inputs, state);
        }
    }

    /**
     * The cache that a rank's part of a mixer needs.
     *
     * @param prefix of its buffers' names
     */
    static LayerCache of(
            String prefix, ModelSpec model, MixerSpec mixer, PagedCache pages, CacheTypes types, Mapping mapping) {
        return switch (mixer) {
            case MlaSpec mla -> latents(prefix, mla, pages, types);
            case GqaSpec gqa ->
                keysAndValues(prefix, gqa, mapping.keyValueHeads(model.name(), gqa.kvHeads()), pages, types);
            case Mamba2Spec mamba -> {
                Mamba2Share own = Mamba2Share.of(mapping, model.name(), mamba);
                yield new Recurrent(
                        inputs(prefix, own.channels(), mamba.convWidth(), pages, types),
                        state(prefix, own.heads(), mamba.headDim(), mamba.stateDim(), pages, types));
            }
            case DeltaNetSpec net -> {
                DeltaNetShare own = DeltaNetShare.of(mapping, model.name(), net);
                yield new Recurrent(
                        inputs(prefix, own.channels(), net.convWidth(), pages, types),
                        state(prefix, own.valueHeads(), net.keyDim(), net.valueDim(), pages, types));
            }
        };
    }

    /** E4M3 is packed with scales where attention gathers rows, as FlashMLA lays them out. */
    private static LayerCache latents(String prefix, MlaSpec mla, PagedCache pages, CacheTypes types) {
        boolean packed = mla.indexer().isPresent() && types.rows() == DType.E4M3;
        long width = packed ? PackedLatent.bytes(mla.latentRank(), mla.ropeDim()) : mla.cacheDim();
        return new Latents(
                paged(prefix + "cache", packed ? DType.I8 : types.rows(), pages, width),
                mla.indexer()
                        .map(indexer -> keys(prefix, indexer, pages, types))
                        .orElse(List.of()));
    }

    /** Keys are rounded where activations are. */
    private static List<Part> keys(String prefix, IndexerSpec indexer, PagedCache pages, CacheTypes types) {
        DType elements = types.inputs() == DType.F32 ? DType.F32 : DType.E4M3;
        Buffer scales = Buffer.of(prefix + "index_scales", DType.F32, pages.pages(), pages.pageTokens());
        return List.of(
                paged(prefix + "index_keys", elements, pages, indexer.headDim()),
                new Part(
                        scales,
                        new Region(Share.all(1), List.of(Share.all(pages.pages())), Share.all(pages.pageTokens()))));
    }

    /** Rows that every rank has. */
    private static Part paged(String name, DType dtype, PagedCache pages, long width) {
        return new Part(
                Buffer.of(name, dtype, pages.pages(), pages.pageTokens(), width),
                new Region(Share.all(pages.pages()), List.of(Share.all(pages.pageTokens())), Share.all(width)));
    }

    private static LayerCache keysAndValues(
            String prefix, GqaSpec gqa, Share heads, PagedCache pages, CacheTypes types) {
        Share width = heads.times(gqa.headDim());
        Buffer rows = Buffer.of(prefix + "cache", types.rows(), pages.pages(), pages.pageTokens(), 2 * width.size());
        return new Paged(new Part(
                rows, new Region(Share.all(1), List.of(Share.all(2 * pages.pages() * pages.pageTokens())), width)));
    }

    private static Part inputs(String prefix, List<Share> channels, int convWidth, PagedCache pages, CacheTypes types) {
        long own = channels.stream().mapToLong(Share::size).sum();
        boolean all = own == channels.getFirst().whole();
        return new Part(
                Buffer.of(prefix + "conv_state", types.inputs(), pages.requests(), own, convWidth - 1L),
                new Region(
                        Share.all(pages.requests()),
                        all ? List.of(Share.all(own)) : channels,
                        Share.all(convWidth - 1L)));
    }

    private static Part state(String prefix, Share heads, int rows, int columns, PagedCache pages, CacheTypes types) {
        return new Part(
                Buffer.of(prefix + "state", types.states(), pages.requests(), heads.size(), rows, columns),
                new Region(Share.all(pages.requests()), List.of(heads.times(rows)), Share.all(columns)));
    }
}
