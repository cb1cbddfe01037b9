package layerwise.kernels;

import java.lang.foreign.Arena;
import java.util.List;
import layerwise.cuda.LaunchShape;
import layerwise.cuda.TensorMap;
import layerwise.op.Buffer;
import layerwise.op.Contents;
import layerwise.op.IndexLogits;
import layerwise.op.LatentAppend;
import layerwise.op.PackedLatent;
import layerwise.op.PagedBatch;
import layerwise.op.SparseMlaAttention;
import layerwise.op.TensorRef;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;

/** Launches of kernels/{index_logits,sparse_mla_attention}*.cu and latent_append_packed.cu. */
final class SparseLaunches {
    private static final int HEADS = 64;
    private static final int HEAD_DIM = 128;
    private static final int THREADS = 384;
    private static final int ATTENTION_SHARED = 230_976;
    private static final int LATENT = 512;
    private static final int ROPE = 64;

    /** Blocks of attention that run at once on an H100 or H200. */
    private static final int BLOCKS = 132;

    /** What a part of a token's rows costs beside its tiles, in tiles: its queries, its result and combining it. */
    private static final int PART_COST = 3;

    private SparseLaunches() {}

    static Launchable of(Preparation to, IndexLogits op) {
        if (!op.keys().quantised()) {
            throw new ConfigException("device: IndexLogits with %s: expected e4m3 on a GPU, or --device reference"
                    .formatted(op.keys().elements()));
        }
        boolean tuned = op.q().dim(1) == HEADS
                && op.q().dim(2) == HEAD_DIM
                && op.q().isContiguous()
                && op.weights().isContiguous()
                && to.address(op.q()) % 16 == 0
                && to.address(op.weights()) % 8 == 0
                && AttentionOperands.cacheFits(to, op.keys().elements())
                && to.address(op.keys().scales()) % 16 == 0;
        return tuned ? mapped(to, op) : generic(to, op);
    }

    private static long firstPosition(Preparation to, IndexLogits op) {
        TensorRef positions = op.paged().positions();
        return to.address(positions.slice(0, op.first(), op.first() + op.q().dim(0)));
    }

    private static int shared(int tokens) {
        return switch (tokens) {
            case 1 -> 152_736;
            case 2 -> 169_120;
            default -> 201_888;
        };
    }

    private static Launchable mapped(Preparation to, IndexLogits op) {
        IndexLogitsItems items = IndexLogitsItems.of(
                op.paged().batch(), op.first(), Math.toIntExact(op.q().dim(0)), BLOCKS);
        LaunchShape shape =
                LaunchShape.of(Math.min(BLOCKS, items.count()), THREADS).shared(shared(items.tokens()));
        TensorMap queries = to.map(
                DType.E4M3,
                to.address(op.q()),
                new long[] {HEAD_DIM, op.q().dim(0) * HEADS},
                new long[] {HEAD_DIM},
                new int[] {HEAD_DIM, HEADS},
                TensorMap.Swizzle.BYTES_128);
        return to.call("index_logits", "index_logits_t%d_e4m3".formatted(items.tokens()), shape)
                .pointer(to.address(op.out()))
                .map(queries)
                .map(AttentionOperands.cacheMap(
                        to,
                        op.keys().elements(),
                        HEAD_DIM,
                        AttentionOperands.piece(op.keys().elements()),
                        TensorMap.Swizzle.BYTES_128))
                .pointer(to.address(op.weights()))
                .pointer(to.address(op.keys().scales()))
                .pointer(firstPosition(to, op))
                .pointer(to.address(op.paged().pageTable()))
                .pointer(table(to, op, items))
                .number(items.count())
                .size(op.paged().pageTable().dim(1))
                .size(op.keys().elements().dim(1))
                .number(AttentionOperands.piece(op.keys().elements()))
                .wide(op.out().strides().step(0));
    }

    private static long table(Preparation to, IndexLogits op, IndexLogitsItems items) {
        int[] values = items.table();
        Buffer buffer =
                Buffer.of("#items.%s.%d".formatted(op.out().buffer().name(), op.first()), DType.I32, values.length);
        try (Arena arena = Arena.ofConfined()) {
            HostTensor table = HostTensor.copyOf(arena, Shape.of(values.length), values);
            to.memory().putHere(buffer, new Contents.Copied(List.of(table)));
        }
        return to.address(buffer.whole());
    }

    private static Launchable generic(Preparation to, IndexLogits op) {
        PagedBatch paged = op.paged();
        long heads = op.q().dim(1);
        LaunchShape shape = LaunchShape.of(1, 128)
                .grid(
                        Math.ceilDiv(paged.batch().longest(), 128),
                        Math.toIntExact(op.q().dim(0)),
                        1)
                .shared(Math.toIntExact(4 * heads * (op.q().dim(2) + 1)));
        return to.call("index_logits_generic", "index_logits_generic_e4m3", shape)
                .pointer(to.address(op.out()))
                .pointer(to.address(op.q()))
                .pointer(to.address(op.weights()))
                .pointer(to.address(op.keys().elements()))
                .pointer(to.address(op.keys().scales()))
                .pointer(firstPosition(to, op))
                .pointer(to.address(paged.starts()))
                .pointer(to.address(paged.pageTable()))
                .number(paged.batch().sequences())
                .size(paged.pageTable().dim(1))
                .size(op.keys().elements().dim(1))
                .number(op.first())
                .size(heads)
                .size(op.q().dim(2))
                .wide(op.out().strides().step(0));
    }

    /** Of a packed cache. */
    static Launchable packed(Preparation to, LatentAppend op) {
        Preparation.requireBf16(op, op.latent(), op.key());
        if (op.latent().dim(1) != LATENT || op.key().dim(1) != ROPE) {
            throw new ConfigException("device: LatentAppend with %s: expected rows of %d bytes on a GPU"
                    .formatted(op.cache(), PackedLatent.bytes(LATENT, ROPE)));
        }
        PagedBatch paged = op.paged();
        return to.call(
                        "latent_append_packed",
                        "latent_append_packed_d576",
                        LaunchShape.of(paged.batch().tokens(), 128))
                .pointer(to.address(op.cache()))
                .pointer(to.address(op.latent()))
                .pointer(to.address(op.key()))
                .pointer(to.address(paged.positions()))
                .pointer(to.address(paged.starts()))
                .pointer(to.address(paged.pageTable()))
                .number(paged.batch().sequences())
                .size(paged.pageTable().dim(1))
                .size(op.cache().dim(1))
                .wide(op.latent().strides().step(0))
                .wide(op.key().strides().step(0));
    }

    static Launchable of(Preparation to, SparseMlaAttention op) {
        Preparation.requireBf16(op, op.q(), op.out());
        boolean packed = PackedLatent.holds(op.cache());
        if (!packed) {
            Preparation.requireBf16(op, op.cache());
        }
        boolean tuned = op.q().dim(2) == LATENT + ROPE
                && op.out().dim(2) == LATENT
                && AttentionOperands.steps(op.q(), 8)
                && AttentionOperands.steps(op.out(), 8)
                && (to.address(op.q()) | to.address(op.cache()) | to.address(op.out())) % 16 == 0;
        if (!tuned && packed) {
            throw new ConfigException("device: SparseMlaAttention with %s: expected rows of %d bytes on a GPU"
                    .formatted(op.cache(), PackedLatent.bytes(LATENT, ROPE)));
        }
        return tuned ? split(to, op, packed) : generic(to, op);
    }

    /** Rows of a part: few enough that all multiprocessors have one, as many as pay for it. */
    static int chunk(long blocks, long k) {
        long tiles = Math.ceilDiv(k, AttentionOperands.TILE);
        long best = tiles;
        long least = Long.MAX_VALUE;
        for (long each = tiles; each >= 1; each--) {
            long parts = Math.ceilDiv(tiles, each);
            long cost = Math.ceilDiv(blocks * parts, BLOCKS) * (each + (parts > 1 ? PART_COST : 0));
            if (cost < least) {
                least = cost;
                best = each;
            }
        }
        return Math.toIntExact(best * AttentionOperands.TILE);
    }

    /** Which kernel: blocks that share a token's packed rows do so in clusters of two. */
    static String variant(boolean packed, int heads) {
        if (!packed) {
            return "sparse_mla_attention_d576_bf16";
        }
        boolean pairs = Math.ceilDiv(heads, AttentionOperands.TILE) % 2 == 0;
        return "sparse_mla_attention_d576_packed" + (pairs ? "_pair" : "");
    }

    private static Launchable split(Preparation to, SparseMlaAttention op, boolean packed) {
        int tokens = Math.toIntExact(op.q().dim(0));
        int heads = Math.toIntExact(op.q().dim(1));
        int blocks = tokens * Math.ceilDiv(heads, AttentionOperands.TILE);
        int chunk = chunk(blocks, op.rows().dim(1));
        int parts = Math.toIntExact(Math.ceilDiv(op.rows().dim(1), chunk));
        long results = parts == 1 ? 0 : (long) parts * tokens * heads;
        long partial = parts == 1 ? 0 : to.scratch(4 * LATENT * results);
        long logSum = parts == 1 ? 0 : to.scratch(4 * results);
        LaunchShape shape = LaunchShape.of(1, THREADS).grid(blocks, parts, 1).shared(ATTENTION_SHARED);
        Launchable attention = to.call("sparse_mla_attention", variant(packed, heads), shape)
                .pointer(to.address(op.out()))
                .pointer(partial)
                .pointer(logSum)
                .pointer(to.address(op.q()))
                .pointer(to.address(op.cache()))
                .pointer(to.address(op.rows()))
                .pointer(to.address(op.positions()))
                .number(tokens)
                .number(heads)
                .size(op.rows().dim(1))
                .number(chunk)
                .wide(op.q().strides().step(0))
                .wide(op.q().strides().step(1))
                .wide(op.out().strides().step(0))
                .wide(op.out().strides().step(1))
                .real(op.scale());
        if (parts == 1) {
            return attention;
        }
        Launchable combine = to.call(
                        "sparse_mla_attention_combine",
                        "sparse_mla_attention_combine_bf16",
                        LaunchShape.of(tokens * heads, 128))
                .pointer(to.address(op.out()))
                .pointer(partial)
                .pointer(logSum)
                .number(tokens)
                .number(heads)
                .number(parts)
                .wide(op.out().strides().step(0))
                .wide(op.out().strides().step(1));
        return Launchable.sequence(attention, combine);
    }

    private static Launchable generic(Preparation to, SparseMlaAttention op) {
        LaunchShape shape = LaunchShape.of(1, 128)
                .grid(Math.toIntExact(op.q().dim(0)), Math.toIntExact(op.q().dim(1)), 1)
                .shared(Math.toIntExact(4 * op.rows().dim(1)));
        return to.call("sparse_mla_attention_generic", "sparse_mla_attention_generic_bf16", shape)
                .pointer(to.address(op.out()))
                .pointer(to.address(op.q()))
                .pointer(to.address(op.cache()))
                .pointer(to.address(op.rows()))
                .pointer(to.address(op.positions()))
                .size(op.rows().dim(1))
                .size(op.q().dim(2))
                .size(op.out().dim(2))
                .wide(op.q().strides().step(0))
                .wide(op.q().strides().step(1))
                .wide(op.out().strides().step(0))
                .wide(op.out().strides().step(1))
                .real(op.scale());
    }
}
