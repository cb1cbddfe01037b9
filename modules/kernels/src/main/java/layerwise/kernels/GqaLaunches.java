package layerwise.kernels;

import layerwise.cuda.LaunchShape;
import layerwise.cuda.TensorMap;
import layerwise.op.GqaDecodeAttention;
import layerwise.op.GqaPrefillAttention;
import layerwise.op.PagedBatch;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;

/** Launches of kernels/gqa_{prefill,decode}_attention*.cu. */
final class GqaLaunches {
    private static final int QUERIES = 128;

    /** Bytes a second beyond which multiprocessors that finish last cannot draw all that memory gives: an H200's. */
    private static final long AMPLE_BANDWIDTH = 4_000_000_000_000L;

    private GqaLaunches() {}

    private static boolean tunedHeadDim(TensorRef q) {
        return q.dim(2) == 128 || q.dim(2) == 256;
    }

    /** A block for each query and head. */
    private static LaunchShape rows(TensorRef q) {
        return LaunchShape.of(1, 128)
                .grid(Math.toIntExact(q.dim(0)), Math.toIntExact(q.dim(1)), 1)
                .shared(Math.toIntExact(4 * (2 * q.dim(2) + 128)));
    }

    private static KernelCall steps(KernelCall call, TensorRef... tensors) {
        for (TensorRef tensor : tensors) {
            call.wide(tensor.strides().step(0)).wide(tensor.strides().step(1));
        }
        return call;
    }

    static Launchable of(Preparation to, GqaPrefillAttention op) {
        Preparation.requireBf16(op, op.q(), op.k(), op.v(), op.out());
        boolean tuned = tunedHeadDim(op.q())
                && AttentionOperands.fit(to, op.q())
                && AttentionOperands.fit(to, op.k())
                && AttentionOperands.fit(to, op.v())
                && AttentionOperands.steps(op.out(), 2);
        PagedBatch paged = op.paged();
        if (tuned) {
            return mapped(to, op);
        }
        KernelCall call = to.call("gqa_prefill_attention_generic", "gqa_prefill_attention_generic_bf16", rows(op.q()))
                .pointer(to.address(op.out()))
                .pointer(to.address(op.q()))
                .pointer(to.address(op.k()))
                .pointer(to.address(op.v()))
                .pointer(to.address(paged.starts()))
                .pointer(to.address(paged.past()))
                .number(paged.batch().sequences())
                .number(op.group())
                .size(op.q().dim(2));
        return steps(call, op.q(), op.k(), op.v(), op.out()).real(op.scale());
    }

    private static Launchable mapped(Preparation to, GqaPrefillAttention op) {
        boolean wide = op.q().dim(2) == 256;
        int keys = wide ? 80 : 128; // of a stage
        PrefillOrder order = PrefillOrder.of(
                op.paged().batch(),
                op.q().dim(1),
                op.k().dtype().bytes(2 * op.q().dim(2)) / op.group());
        String symbol = "gqa_prefill_attention_d%d_bf16".formatted(op.q().dim(2));
        KernelCall call = to.call("gqa_prefill_attention", symbol, order.shape(wide ? 230_560 : 165_024))
                .map(AttentionOperands.map(to, op.q(), QUERIES))
                .map(AttentionOperands.map(to, op.k(), keys))
                .map(AttentionOperands.map(to, op.v(), keys))
                .pointer(to.address(op.out()));
        order.arguments(call, to, op.paged())
                .number(op.group())
                .size(op.q().strides().step(1))
                .size(op.k().strides().step(1))
                .size(op.v().strides().step(1));
        return steps(call, op.out()).real(op.scale());
    }

    static Launchable of(Preparation to, GqaDecodeAttention op) {
        Preparation.requireBf16(op, op.q(), op.out());
        String cache = LatentLaunches.cacheType(op, op.cache());
        boolean tuned = tunedHeadDim(op.q())
                && to.address(op.q()) % 16 == 0
                && AttentionOperands.steps(op.q(), 8)
                && AttentionOperands.steps(op.out(), 2)
                && AttentionOperands.cacheFits(to, op.cache());
        if (tuned) {
            return split(to, op, cache);
        }
        KernelCall call = to.call("gqa_decode_attention_generic", "gqa_decode_attention_generic_" + cache, rows(op.q()))
                .pointer(to.address(op.out()))
                .pointer(to.address(op.q()))
                .pointer(to.address(op.cache()));
        paged(call, to, op).number(op.group()).number(op.kvHeads()).size(op.q().dim(2));
        return steps(call, op.q(), op.out()).real(op.scale());
    }

    private static Launchable split(Preparation to, GqaDecodeAttention op, String cache) {
        PagedBatch paged = op.paged();
        int headDim = Math.toIntExact(op.q().dim(2));
        int heads = Math.toIntExact(op.q().dim(1));
        boolean codes = op.cache().dtype() == DType.E4M3;
        boolean inPairs = headDim == 128 && !codes; // two blocks share a multiprocessor
        DecodeSplit.Kernel kernel = inPairs ? DecodeSplit.Kernel.GROUPED_IN_PAIRS : DecodeSplit.Kernel.GROUPED;
        boolean ample = to.gpu().device().info().memoryBandwidth() > AMPLE_BANDWIDTH;
        DecodeSplit split = ample && !codes
                ? DecodeSplit.filledUp(paged.batch(), heads, op.kvHeads(), kernel)
                : DecodeSplit.of(paged.batch(), heads, op.kvHeads(), kernel);
        int rows = AttentionOperands.newest(paged.batch()) * op.group();
        LaunchShape shape = LaunchShape.of(1, threads(headDim, codes))
                .grid(
                        Math.ceilDiv(rows, AttentionOperands.TILE) * op.kvHeads(),
                        paged.batch().sequences(),
                        split.parts())
                .shared(shared(headDim, codes));
        int piece = AttentionOperands.piece(op.cache());
        TensorMap map = codes
                ? AttentionOperands.cacheMap(to, op.cache(), headDim, piece, TensorMap.Swizzle.NONE)
                : AttentionOperands.cacheMap(
                        to, op.cache(), AttentionOperands.BOX_COLUMNS, piece, TensorMap.Swizzle.BYTES_128);
        String symbol = "gqa_decode_attention_d%d_%s".formatted(headDim, cache);
        return split.launches(to, op.out(), paged, (partial, logSum) -> {
            KernelCall call = to.call("gqa_decode_attention", symbol, shape)
                    .map(map)
                    .pointer(to.address(op.out()))
                    .pointer(partial)
                    .pointer(logSum)
                    .pointer(to.address(op.q()));
            paged(call, to, op)
                    .number(heads)
                    .number(op.kvHeads())
                    .number(split.chunk())
                    .number(split.lead())
                    .number(piece);
            return steps(call, op.q(), op.out()).real(op.scale());
        });
    }

    private static int threads(int headDim, boolean codes) {
        if (headDim == 256) {
            return 384;
        }
        return codes ? 512 : 160;
    }

    /** Dynamic shared memory, as the kernel's header says. */
    private static int shared(int headDim, boolean codes) {
        if (codes) {
            return headDim == 128 ? 214_464 : 230_752;
        }
        return headDim == 128 ? 99_440 : 230_528;
    }

    private static KernelCall paged(KernelCall call, Preparation to, GqaDecodeAttention op) {
        PagedBatch paged = op.paged();
        return call.pointer(to.address(paged.starts()))
                .pointer(to.address(paged.past()))
                .pointer(to.address(paged.pageTable()))
                .number(paged.batch().sequences())
                .size(paged.pageTable().dim(1))
                .size(op.cache().dim(1));
    }
}
