package layerwise.op;

import java.util.ArrayList;
import java.util.List;
import layerwise.tensor.DType;

/**
 * Turns positions in a token's sequence into rows of the paged pool; −1 stays −1.
 *
 * @param indices    {@code [T,k]} int32
 * @param rows       {@code [T,k]} int32: {@code page · pageTokens + place in the page}
 * @param pageTokens tokens of a page
 */
public record PoolRows(TensorRef indices, TensorRef rows, PagedBatch paged, int pageTokens) implements Operator {
    public PoolRows {
        Expect.rank("PoolRows", "indices", indices, 2);
        Expect.shape("PoolRows", "indices", indices, paged.batch().tokens(), indices.dim(1));
        Expect.shape("PoolRows", "rows", rows, indices.dim(0), indices.dim(1));
        Expect.dtype("PoolRows", "indices", indices, DType.I32);
        Expect.dtype("PoolRows", "rows", rows, DType.I32);
        Expect.contiguous("PoolRows", indices, rows);
        Expect.that(pageTokens > 0, "PoolRows: pages of %d tokens", pageTokens);
    }

    @Override
    public List<TensorRef> inputs() {
        List<TensorRef> all = new ArrayList<>(paged.tables());
        all.add(indices);
        return List.copyOf(all);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(rows);
    }

    @Override
    public Work work() {
        return new Work(0, indices.bytes() + rows.bytes() + paged.pageTable().bytes(), Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%d pages of %d".formatted(rows.dim(0), rows.dim(1), pageTokens);
    }
}
