package layerwise.model.cache;

import java.lang.foreign.Arena;
import java.util.List;
import layerwise.op.Batch;
import layerwise.op.Buffer;
import layerwise.op.Contents;
import layerwise.op.Memory;
import layerwise.op.PagedBatch;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;

/** The tables of one step and what they hold; an engine prepares them before the step. */
public final class BatchTables {
    private final PagedBatch paged;
    private final int[] positions;
    private final int[] starts;
    private final int[] past;
    private final int[] pages;
    private final int[] slots;

    private BatchTables(PagedBatch paged, int[] positions, int[] starts, int[] past, int[] pages, int[] slots) {
        this.paged = paged;
        this.positions = positions;
        this.starts = starts;
        this.past = past;
        this.pages = pages;
        this.slots = slots;
    }

    static BatchTables of(String name, int first, Batch batch, int pagesPerRequest) {
        int sequences = batch.sequences();
        int[] positions = new int[batch.tokens()];
        int[] starts = new int[sequences + 1];
        int[] past = new int[sequences];
        int[] slots = new int[sequences];
        int[] pages = new int[Math.multiplyExact(sequences, pagesPerRequest)];
        for (int b = 0; b < sequences; b++) {
            past[b] = batch.past().get(b);
            slots[b] = first + b;
            int queries = batch.queries().get(b);
            starts[b + 1] = starts[b] + queries;
            for (int i = 0; i < queries; i++) {
                positions[starts[b] + i] = past[b] + i;
            }
            for (int j = 0; j < pagesPerRequest; j++) {
                pages[b * pagesPerRequest + j] = (first + b) * pagesPerRequest + j;
            }
        }
        PagedBatch paged = new PagedBatch(
                batch,
                table(name + ".positions", positions.length),
                table(name + ".starts", starts.length),
                table(name + ".past", past.length),
                Buffer.of(name + ".pages", DType.I32, sequences, pagesPerRequest)
                        .whole(),
                table(name + ".slots", slots.length));
        return new BatchTables(paged, positions, starts, past, pages, slots);
    }

    private static TensorRef table(String name, int length) {
        return Buffer.of(name, DType.I32, length).whole();
    }

    /** The tables as operators name them. */
    public PagedBatch paged() {
        return paged;
    }

    /** Gives the tables their place and contents. */
    public void place(Memory memory) {
        put(memory, paged.positions().buffer(), positions);
        put(memory, paged.starts().buffer(), starts);
        put(memory, paged.past().buffer(), past);
        put(memory, paged.pageTable().buffer(), pages);
        put(memory, paged.slots().buffer(), slots);
    }

    private static void put(Memory memory, Buffer buffer, int[] values) {
        try (Arena arena = Arena.ofConfined()) {
            HostTensor table = HostTensor.copyOf(arena, Shape.of(buffer.shape().dims()), values);
            memory.put(buffer, new Contents.Copied(List.of(table)));
        }
    }
}
