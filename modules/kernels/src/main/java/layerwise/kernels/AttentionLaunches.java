package layerwise.kernels;

import layerwise.cuda.LaunchShape;
import layerwise.cuda.TensorMap;
import layerwise.op.MlaDecodeAttention;
import layerwise.op.MlaPrefillAttention;
import layerwise.op.PagedBatch;
import layerwise.tensor.DType;

/** Launches of kernels/mla_{prefill,decode}_attention*.cu. */
final class AttentionLaunches {
    private static final int PREFILL_TILE = 128;
    private static final int PREFILL_SHARED = 214_176;
    private static final int DECODE_SHARED = 223_040;
    private static final int DECODE_FP8_SHARED = 231_864;
    private static final int FP8_COLUMNS = 128;

    private AttentionLaunches() {}

    static Launchable of(Preparation to, MlaPrefillAttention op) {
        Preparation.requireBf16(op, op.q(), op.kv(), op.kRope(), op.out());
        boolean tuned = op.q().dim(2) == 192
                && op.kRope().dim(1) == 64
                && op.out().dim(2) == 128
                && AttentionOperands.fit(to, op.q())
                && AttentionOperands.fit(to, op.kv())
                && AttentionOperands.fit(to, op.kRope())
                && AttentionOperands.steps(op.out(), 2);
        return tuned ? mapped(to, op) : generic(to, op);
    }

    private static Launchable mapped(Preparation to, MlaPrefillAttention op) {
        PrefillOrder order = PrefillOrder.of(
                op.paged().batch(), op.q().dim(1), op.kv().dtype().bytes(op.kv().dim(2)));
        KernelCall call = to.call(
                        "mla_prefill_attention", "mla_prefill_attention_d192_bf16", order.shape(PREFILL_SHARED))
                .map(AttentionOperands.map(to, op.q(), PREFILL_TILE))
                .map(AttentionOperands.map(to, op.kv(), PREFILL_TILE))
                .map(AttentionOperands.map(to, op.kRope(), PREFILL_TILE))
                .pointer(to.address(op.out()));
        return order.arguments(call, to, op.paged())
                .size(op.q().strides().step(1))
                .size(op.kv().strides().step(1))
                .wide(op.out().strides().step(0))
                .wide(op.out().strides().step(1))
                .real(op.scale());
    }

    private static Launchable generic(Preparation to, MlaPrefillAttention op) {
        PagedBatch paged = op.paged();
        long elements = op.q().dim(2) + op.out().dim(2) + 128;
        LaunchShape shape = LaunchShape.of(1, 128)
                .grid(Math.toIntExact(op.q().dim(0)), Math.toIntExact(op.q().dim(1)), 1)
                .shared(Math.toIntExact(4 * elements));
        return to.call("mla_prefill_attention_generic", "mla_prefill_attention_generic_bf16", shape)
                .pointer(to.address(op.out()))
                .pointer(to.address(op.q()))
                .pointer(to.address(op.kv()))
                .pointer(to.address(op.kRope()))
                .pointer(to.address(paged.starts()))
                .pointer(to.address(paged.past()))
                .number(paged.batch().sequences())
                .number(op.noPeDim())
                .size(op.kRope().dim(1))
                .size(op.out().dim(2))
                .wide(op.q().strides().step(0))
                .wide(op.q().strides().step(1))
                .wide(op.kv().strides().step(0))
                .wide(op.kv().strides().step(1))
                .wide(op.kRope().strides().step(0))
                .wide(op.out().strides().step(0))
                .wide(op.out().strides().step(1))
                .real(op.scale());
    }

    static Launchable of(Preparation to, MlaDecodeAttention op) {
        Preparation.requireBf16(op, op.out());
        String cache = LatentLaunches.cacheType(op, op.cache());
        boolean tuned = op.q().dim(2) == 576
                && op.out().dim(2) == 512
                && AttentionOperands.steps(
                        op.q(), Math.toIntExact(16 / op.q().dtype().bytes(1)))
                && AttentionOperands.steps(op.out(), 2)
                && (to.address(op.q()) | to.address(op.cache()) | to.address(op.out())) % 16 == 0
                && (op.cache().dtype() == DType.BF16 || AttentionOperands.cacheFits(to, op.cache()));
        return tuned ? split(to, op) : generic(to, op, cache);
    }

    private static Launchable generic(Preparation to, MlaDecodeAttention op, String cache) {
        long elements = op.q().dim(2) + op.out().dim(2) + 128;
        LaunchShape shape = LaunchShape.of(1, 128)
                .grid(Math.toIntExact(op.q().dim(0)), Math.toIntExact(op.q().dim(1)), 1)
                .shared(Math.toIntExact(4 * elements));
        KernelCall call = to.call("mla_decode_attention_generic", "mla_decode_attention_generic_" + cache, shape)
                .pointer(to.address(op.out()))
                .pointer(to.address(op.q()))
                .pointer(to.address(op.cache()));
        return steps(paged(call, to, op).size(op.q().dim(2)).size(op.out().dim(2)), op)
                .real(op.scale());
    }

    private static Launchable split(Preparation to, MlaDecodeAttention op) {
        int heads = Math.toIntExact(op.q().dim(1));
        DecodeSplit split = DecodeSplit.of(op.paged().batch(), heads, 1, DecodeSplit.Kernel.LATENT);
        return split.launches(to, op.out(), op.paged(), (partial, logSum) -> {
            KernelCall call = op.cache().dtype() == DType.BF16
                    ? bf16(to, op, split, partial, logSum)
                    : fp8(to, op, split, partial, logSum);
            return steps(call, op).real(op.scale());
        });
    }

    private static LaunchShape shape(MlaDecodeAttention op, DecodeSplit split, int threads, int shared) {
        int rows = AttentionOperands.newest(op.paged().batch())
                * Math.toIntExact(op.q().dim(1));
        return LaunchShape.of(1, threads)
                .grid(
                        Math.ceilDiv(rows, AttentionOperands.TILE),
                        split.parts(),
                        op.paged().batch().sequences())
                .shared(shared);
    }

    private static KernelCall bf16(
            Preparation to, MlaDecodeAttention op, DecodeSplit split, long partial, long logSum) {
        KernelCall call =
                to.call("mla_decode_attention", "mla_decode_attention_d576_bf16", shape(op, split, 384, DECODE_SHARED));
        results(call, to, op, partial, logSum).pointer(to.address(op.cache()));
        return paged(call, to, op).size(op.q().dim(1)).number(split.chunk());
    }

    private static KernelCall fp8(Preparation to, MlaDecodeAttention op, DecodeSplit split, long partial, long logSum) {
        int piece = AttentionOperands.piece(op.cache());
        KernelCall call = to.call(
                        "mla_decode_attention_fp8",
                        "mla_decode_attention_fp8_d576_e4m3",
                        shape(op, split, 512, DECODE_FP8_SHARED))
                .map(AttentionOperands.cacheMap(to, op.cache(), FP8_COLUMNS, piece, TensorMap.Swizzle.BYTES_128));
        results(call, to, op, partial, logSum);
        return paged(call, to, op).size(op.q().dim(1)).number(split.chunk()).number(piece);
    }

    private static KernelCall results(
            KernelCall call, Preparation to, MlaDecodeAttention op, long partial, long logSum) {
        return call.pointer(to.address(op.out()))
                .pointer(partial)
                .pointer(logSum)
                .pointer(to.address(op.q()));
    }

    private static KernelCall paged(KernelCall call, Preparation to, MlaDecodeAttention op) {
        PagedBatch paged = op.paged();
        return call.pointer(to.address(paged.starts()))
                .pointer(to.address(paged.past()))
                .pointer(to.address(paged.pageTable()))
                .number(paged.batch().sequences())
                .size(paged.pageTable().dim(1))
                .size(op.cache().dim(1));
    }

    private static KernelCall steps(KernelCall call, MlaDecodeAttention op) {
        return call.wide(op.q().strides().step(0))
                .wide(op.q().strides().step(1))
                .wide(op.out().strides().step(0))
                .wide(op.out().strides().step(1));
    }
}
