package layerwise.op;

import java.util.ArrayList;
import java.util.List;

/**
 * Reads the cached rows of every sequence, past and new, one sequence after the other: what prefill over a cached
 * prefix expands.
 *
 * @param cache {@code [pages, pageTokens, R+D]}
 * @param rows  {@code [S, R+D]}, S the tokens of all sequences after the step
 */
public record LatentGather(TensorRef cache, TensorRef rows, PagedBatch paged) implements Operator {
    public LatentGather {
        Expect.rank("LatentGather", "cache", cache, 3);
        Expect.shape("LatentGather", "rows", rows, paged.batch().context(), cache.dim(2));
    }

    @Override
    public List<TensorRef> inputs() {
        List<TensorRef> all = new ArrayList<>(paged.tables());
        all.add(cache);
        return List.copyOf(all);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(rows);
    }

    @Override
    public Work work() {
        return new Work(0, cache.dtype().bytes(rows.shape().elements()) + rows.bytes(), Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%d %s".formatted(rows.dim(0), rows.dim(1), cache.dtype());
    }
}
