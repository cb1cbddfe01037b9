package layerwise.bench.collectives;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import layerwise.op.Memory;
import layerwise.op.TensorRef;
import layerwise.tensor.WrongResultException;

/**
 * Compares what a collective left with what it must leave, element by element up to 16 MiB; beyond, the ends of every rank's
 * part and runs of rows between them.
 *
 * @param what    is checked, for messages
 * @param numbers what it must leave
 */
record ResultCheck(String what, CollectiveShape shape, KnownNumbers numbers) {
    private static final long WHOLE_BYTES = 16L << 20;
    private static final int RUN_ROWS = 4;
    private static final int RUNS = 61;

    /**
     * Looks at y.
     *
     * @throws WrongResultException if an element differs
     */
    void check(Memory memory) {
        for (TensorRef rows : runs()) {
            try (Arena arena = Arena.ofConfined()) {
                float[] values = memory.read(rows, arena).copyToFloats();
                for (int i = 0; i < values.length; i++) {
                    float expected = numbers.expected(rows.offset() + i);
                    if (values[i] != expected) {
                        throw new WrongResultException("%s: rank %d: element %d is %s, expected %s"
                                .formatted(what, shape.group().rank(), rows.offset() + i, values[i], expected));
                    }
                }
            }
        }
    }

    /** Parts of y that are compared. */
    List<TensorRef> runs() {
        TensorRef y = shape.y();
        long rows = y.dim(0);
        if (y.bytes() <= WHOLE_BYTES) {
            return List.of(y);
        }
        List<TensorRef> runs = new ArrayList<>();
        long part = shape.part() / shape.width();
        for (long first = 0; first < rows; first += part) {
            runs.add(y.slice(0, first, first + RUN_ROWS));
            runs.add(y.slice(0, first + part - RUN_ROWS, first + part));
        }
        for (int run = 0; run < RUNS; run++) {
            long first = (rows - RUN_ROWS) * run / RUNS;
            runs.add(y.slice(0, first, first + RUN_ROWS));
        }
        return runs;
    }
}
