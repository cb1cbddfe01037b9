package layerwise.kernels;

import layerwise.cuda.LaunchShape;
import layerwise.op.LatentAppend;
import layerwise.op.LatentGather;
import layerwise.op.MlaRopeAppend;
import layerwise.op.Operator;
import layerwise.op.PackedLatent;
import layerwise.op.PagedBatch;
import layerwise.op.Rotary;
import layerwise.op.TensorRef;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;

/** Launches of kernels/{rotary,latent_append,latent_gather,mla_rope_append}.cu. */
final class LatentLaunches {
    private LatentLaunches() {}

    private static String layout(Rotary.Layout layout) {
        return switch (layout) {
            case INTERLEAVED -> "interleaved";
            case HALF_SPLIT -> "half_split";
        };
    }

    /** Suffix of kernels that take the cache. */
    static String cacheType(Operator operator, TensorRef cache) {
        if (cache.dtype() == DType.BF16) {
            return "bf16";
        }
        if (cache.dtype() == DType.E4M3) {
            return "e4m3";
        }
        throw new ConfigException(
                "device: %s with %s: expected a bfloat16 or e4m3 cache on a GPU".formatted(operator.name(), cache));
    }

    static Launchable of(Preparation to, Rotary op) {
        Preparation.requireBf16(op, op.x(), op.y());
        long width = op.x().dim(1) * op.x().dim(2);
        LaunchShape shape = LaunchShape.of(1, 256)
                .grid(Math.toIntExact(op.x().dim(0)), Math.toIntExact(Math.ceilDiv(width, 2048)), 1);
        return to.call("rotary", "rotary_" + layout(op.layout()) + "_bf16", shape)
                .pointer(to.address(op.y()))
                .pointer(to.address(op.x()))
                .pointer(to.address(op.positions()))
                .pointer(to.address(op.table()))
                .size(op.x().dim(1))
                .size(op.x().dim(2))
                .wide(op.x().strides().step(0))
                .wide(op.x().strides().step(1))
                .wide(op.y().strides().step(0))
                .wide(op.y().strides().step(1));
    }

    static Launchable of(Preparation to, LatentAppend op) {
        if (PackedLatent.holds(op.cache())) {
            return SparseLaunches.packed(to, op);
        }
        Preparation.requireBf16(op, op.latent(), op.key());
        PagedBatch paged = op.paged();
        String symbol = "latent_append_" + cacheType(op, op.cache());
        return to.call("latent_append", symbol, LaunchShape.of(paged.batch().tokens(), 128))
                .pointer(to.address(op.cache()))
                .pointer(to.address(op.latent()))
                .pointer(to.address(op.key()))
                .pointer(to.address(paged.positions()))
                .pointer(to.address(paged.starts()))
                .pointer(to.address(paged.pageTable()))
                .number(paged.batch().sequences())
                .size(paged.pageTable().dim(1))
                .size(op.cache().dim(1))
                .size(op.latent().dim(1))
                .size(op.key().dim(1))
                .wide(op.latent().strides().step(0))
                .wide(op.key().strides().step(0));
    }

    static Launchable of(Preparation to, LatentGather op) {
        Preparation.requireBf16(op, op.rows());
        PagedBatch paged = op.paged();
        LaunchShape shape = LaunchShape.of(1, 256)
                .grid(Math.ceilDiv(paged.batch().longest(), 16), paged.batch().sequences(), 1);
        return to.call("latent_gather", "latent_gather_" + cacheType(op, op.cache()), shape)
                .pointer(to.address(op.rows()))
                .pointer(to.address(op.cache()))
                .pointer(to.address(paged.starts()))
                .pointer(to.address(paged.past()))
                .pointer(to.address(paged.pageTable()))
                .number(paged.batch().sequences())
                .size(paged.pageTable().dim(1))
                .size(op.cache().dim(1))
                .size(op.cache().dim(2))
                .wide(op.rows().strides().step(0));
    }

    static Launchable of(Preparation to, MlaRopeAppend op) {
        Rotary query = op.query();
        Rotary key = op.key();
        TensorRef latent = op.norm().x();
        LatentAppend append = op.append();
        PagedBatch paged = append.paged();
        Preparation.requireBf16(
                op, query.x(), key.x(), key.y(), latent, op.norm().y());
        boolean codes = query.y().dtype() == DType.E4M3 && append.cache().dtype() == DType.E4M3;
        if (!codes) {
            Preparation.requireBf16(op, query.y());
        }
        String symbol = "mla_rope_append_%s_%s%s"
                .formatted(layout(query.layout()), cacheType(op, append.cache()), codes ? "_q_e4m3" : "");
        long width = query.x().dim(1) * query.x().dim(2);
        LaunchShape shape =
                LaunchShape.of(1, 256).grid(paged.batch().tokens(), Math.toIntExact(1 + Math.ceilDiv(width, 2048)), 1);
        return to.call("mla_rope_append", symbol, shape)
                .pointer(to.address(append.cache()))
                .pointer(to.address(query.y()))
                .pointer(to.address(key.y()))
                .pointer(to.address(op.norm().y()))
                .pointer(to.address(query.x()))
                .pointer(to.address(key.x()))
                .pointer(to.address(latent))
                .pointer(to.address(op.norm().gain()))
                .pointer(to.address(query.table()))
                .pointer(to.address(paged.positions()))
                .pointer(to.address(paged.starts()))
                .pointer(to.address(paged.pageTable()))
                .number(paged.batch().sequences())
                .size(paged.pageTable().dim(1))
                .size(append.cache().dim(1))
                .size(query.x().dim(1))
                .size(query.x().dim(2))
                .size(latent.dim(1))
                .wide(query.x().strides().step(0))
                .wide(query.x().strides().step(1))
                .wide(query.y().strides().step(0))
                .wide(query.y().strides().step(1))
                .wide(key.x().strides().step(0))
                .wide(key.y().strides().step(0))
                .wide(latent.strides().step(0))
                .wide(op.norm().y().strides().step(0))
                .real(op.norm().epsilon());
    }
}
