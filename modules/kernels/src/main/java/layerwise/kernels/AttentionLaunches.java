package layerwise.kernels;

import layerwise.cuda.LaunchShape;
import layerwise.op.Batch;
import layerwise.op.MlaDecodeAttention;
import layerwise.op.MlaPrefillAttention;
import layerwise.op.PagedBatch;
import layerwise.op.TensorRef;

/** Launches of kernels/mla_{prefill,decode}_attention*.cu. */
final class AttentionLaunches {
    private static final int PREFILL_SHARED = 214_088;
    private static final int DECODE_SHARED = 223_040;

    private AttentionLaunches() {}

    private static int newest(Batch batch) {
        return batch.queries().stream().mapToInt(Integer::intValue).max().orElseThrow();
    }

    private static boolean steps(TensorRef tensor, int multiple) {
        for (int axis = 0; axis < tensor.rank() - 1; axis++) {
            if (tensor.strides().step(axis) % multiple != 0) {
                return false;
            }
        }
        return true;
    }

    static Launchable of(Preparation to, MlaPrefillAttention op) {
        Preparation.requireBf16(op, op.q(), op.kv(), op.kRope(), op.out());
        PagedBatch paged = op.paged();
        boolean tuned = op.q().dim(2) == 192
                && op.kRope().dim(1) == 64
                && op.out().dim(2) == 128
                && steps(op.q(), 8)
                && steps(op.kv(), 8)
                && steps(op.kRope(), 8)
                && steps(op.out(), 2)
                && (to.address(op.q()) | to.address(op.kv()) | to.address(op.kRope())) % 16 == 0;
        KernelCall call;
        int heads = (int) op.q().dim(1);
        if (tuned) {
            LaunchShape shape = LaunchShape.of(1, 384)
                    .grid(
                            Math.ceilDiv(newest(paged.batch()), 128),
                            heads,
                            paged.batch().sequences())
                    .shared(PREFILL_SHARED);
            call = to.call("mla_prefill_attention", "mla_prefill_attention_d192_bf16", shape);
        } else {
            long elements = op.q().dim(2) + op.out().dim(2) + 128;
            LaunchShape shape = LaunchShape.of(1, 128)
                    .grid(Math.toIntExact(op.q().dim(0)), heads, 1)
                    .shared(Math.toIntExact(4 * elements));
            call = to.call("mla_prefill_attention_generic", "mla_prefill_attention_generic_bf16", shape);
        }
        call.pointer(to.address(op.out()))
                .pointer(to.address(op.q()))
                .pointer(to.address(op.kv()))
                .pointer(to.address(op.kRope()))
                .pointer(to.address(paged.starts()))
                .pointer(to.address(paged.past()));
        if (!tuned) {
            call.number(paged.batch().sequences())
                    .number(op.noPeDim())
                    .size(op.kRope().dim(1))
                    .size(op.out().dim(2));
        }
        return call.wide(op.q().strides().step(0))
                .wide(op.q().strides().step(1))
                .wide(op.kv().strides().step(0))
                .wide(op.kv().strides().step(1))
                .wide(op.kRope().strides().step(0))
                .wide(op.out().strides().step(0))
                .wide(op.out().strides().step(1))
                .real(op.scale());
    }

    static Launchable of(Preparation to, MlaDecodeAttention op) {
        Preparation.requireBf16(op, op.q(), op.out());
        String cache = LatentLaunches.cacheType(op, op.cache());
        boolean tuned = op.q().dim(2) == 576
                && op.out().dim(2) == 512
                && steps(op.q(), 8)
                && steps(op.out(), 2)
                && (to.address(op.q()) | to.address(op.cache()) | to.address(op.out())) % 16 == 0;
        return tuned ? split(to, op, cache) : generic(to, op, cache);
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

    private static Launchable split(Preparation to, MlaDecodeAttention op, String cache) {
        Batch batch = op.paged().batch();
        int heads = (int) op.q().dim(1);
        DecodeSplit split = DecodeSplit.of(batch, heads);
        long partial = split.partials() == 0
                ? 0
                : to.scratch(split.partials() * op.out().dim(2) * 4);
        long logSum = split.partials() == 0 ? 0 : to.scratch(split.partials() * 4);
        LaunchShape shape = LaunchShape.of(1, 384)
                .grid(
                        Math.ceilDiv(newest(batch) * heads, DecodeSplit.ROWS),
                        Math.ceilDiv(batch.longest(), split.chunk()),
                        batch.sequences())
                .shared(DECODE_SHARED);
        KernelCall call = to.call("mla_decode_attention", "mla_decode_attention_d576_" + cache, shape)
                .pointer(to.address(op.out()))
                .pointer(partial)
                .pointer(logSum)
                .pointer(to.address(op.q()))
                .pointer(to.address(op.cache()));
        Launchable attention = steps(paged(call, to, op).number(heads).number(split.chunk()), op)
                .real(op.scale());
        if (batch.longest() <= split.chunk()) {
            return attention;
        }
        LaunchShape rows = LaunchShape.of(1, 128).grid(batch.tokens(), heads, 1);
        Launchable combine = to.call("mla_decode_attention_combine", "mla_decode_attention_combine_bf16", rows)
                .pointer(to.address(op.out()))
                .pointer(partial)
                .pointer(logSum)
                .pointer(to.address(op.paged().starts()))
                .pointer(to.address(op.paged().past()))
                .number(batch.sequences())
                .number(heads)
                .number(split.chunk())
                .wide(op.out().strides().step(0))
                .wide(op.out().strides().step(1));
        return Launchable.sequence(attention, combine);
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
