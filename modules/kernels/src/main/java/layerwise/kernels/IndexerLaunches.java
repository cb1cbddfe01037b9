package layerwise.kernels;

import layerwise.cuda.LaunchShape;
import layerwise.op.IndexKeyAppend;
import layerwise.op.IndexQuery;
import layerwise.op.IndexTopK;
import layerwise.op.Operator;
import layerwise.op.PagedBatch;
import layerwise.op.PoolRows;
import layerwise.op.TensorRef;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;

/** Launches of kernels/{index_query,index_key_append,index_topk,pool_rows}.cu. */
final class IndexerLaunches {
    private static final int WARP = 32;
    private static final int QUERIES_OF_BLOCK = 64;
    private static final int LANES_OF_QUERY = 4;
    private static final int KEYS_OF_BLOCK = 4;

    /** Scores of a row from which on a block of 1,024 threads is faster than one of 512. */
    private static final long LONG_ROW = 16_384;

    private IndexerLaunches() {}

    static Launchable of(Preparation to, IndexQuery op) {
        Preparation.requireBf16(op, op.q());
        int dim = headDim(op, op.y(), op.table());
        if (op.q().strides().step(0) % 8 != 0 || (to.address(op.q()) | to.address(op.table())) % 16 != 0) {
            throw new ConfigException(
                    "device: IndexQuery with %s and %s: expected rows at multiples of 16 bytes on a GPU"
                            .formatted(op.q(), op.table()));
        }
        long blocks = op.q().dim(0) * Math.ceilDiv(op.q().dim(1), QUERIES_OF_BLOCK);
        LaunchShape shape = LaunchShape.of(Math.toIntExact(blocks), QUERIES_OF_BLOCK * LANES_OF_QUERY);
        return to.call("index_query", "index_query_d%d_e4m3".formatted(dim), shape)
                .pointer(to.address(op.y()))
                .pointer(to.address(op.scaled()))
                .pointer(to.address(op.q()))
                .pointer(to.address(op.weights()))
                .pointer(to.address(op.positions()))
                .pointer(to.address(op.table()))
                .size(op.q().dim(1))
                .size(op.table().dim(2))
                .wide(op.q().strides().step(0))
                .real(1 / Math.sqrt(op.q().dim(1) * (double) dim))
                .real(1 / Math.sqrt(dim));
    }

    static Launchable of(Preparation to, IndexKeyAppend op) {
        Preparation.requireBf16(op, op.k());
        int dim = headDim(op, op.keys().elements(), op.table());
        PagedBatch paged = op.paged();
        int tokens = paged.batch().tokens();
        LaunchShape shape = LaunchShape.of(Math.ceilDiv(tokens, KEYS_OF_BLOCK), KEYS_OF_BLOCK * WARP);
        return to.call("index_key_append", "index_key_append_d%d_e4m3".formatted(dim), shape)
                .pointer(to.address(op.keys().elements()))
                .pointer(to.address(op.keys().scales()))
                .pointer(to.address(op.k()))
                .pointer(to.address(op.gain()))
                .pointer(to.address(op.bias()))
                .pointer(to.address(paged.positions()))
                .pointer(to.address(op.table()))
                .pointer(to.address(paged.starts()))
                .pointer(to.address(paged.pageTable()))
                .number(paged.batch().sequences())
                .size(paged.pageTable().dim(1))
                .size(op.keys().elements().dim(1))
                .number(tokens)
                .size(op.table().dim(2))
                .wide(op.k().strides().step(0))
                .real(op.epsilon())
                .real(1 / Math.sqrt(dim));
    }

    /** Elements of a head, for which there must be kernels. */
    private static int headDim(Operator operator, TensorRef ready, TensorRef table) {
        long dim = ready.dim(-1);
        long half = table.dim(2);
        boolean fits = ready.dtype() == DType.E4M3
                && (dim == 32 || dim == 64 || dim == 128)
                && Long.bitCount(half) == 1
                && half % (dim / WARP) == 0;
        if (!fits) {
            throw new ConfigException(
                    "device: %s with %s and a rotation of %d: expected e4m3 heads of 32, 64 or 128 and a power of two"
                                    .formatted(operator.name(), ready, 2 * half)
                            + " on a GPU, or --device reference");
        }
        return (int) dim;
    }

    static Launchable of(Preparation to, IndexTopK op) {
        int threads = op.logits().dim(1) >= LONG_ROW ? 1024 : 512;
        LaunchShape shape = LaunchShape.of(Math.toIntExact(op.logits().dim(0)), threads);
        return to.call("index_topk", "index_topk_b%d_f32".formatted(threads), shape)
                .pointer(to.address(op.indices()))
                .pointer(to.address(op.logits()))
                .pointer(to.address(op.positions()))
                .size(op.indices().dim(1))
                .wide(op.logits().strides().step(0));
    }

    static Launchable of(Preparation to, PoolRows op) {
        PagedBatch paged = op.paged();
        return to.call(
                        "pool_rows",
                        "pool_rows_i32",
                        LaunchShape.of(paged.batch().tokens(), 256))
                .pointer(to.address(op.rows()))
                .pointer(to.address(op.indices()))
                .pointer(to.address(paged.starts()))
                .pointer(to.address(paged.pageTable()))
                .number(paged.batch().sequences())
                .size(paged.pageTable().dim(1))
                .number(op.pageTokens())
                .size(op.indices().dim(1));
    }
}
