package layerwise.reference;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import layerwise.op.Batch;
import layerwise.op.Buffer;
import layerwise.op.Capabilities;
import layerwise.op.Communicator;
import layerwise.op.Contents;
import layerwise.op.Execution;
import layerwise.op.Journal;
import layerwise.op.Memory;
import layerwise.op.Operator;
import layerwise.op.PagedBatch;
import layerwise.op.Program;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;

/** One memory with tensors of given values, and operators run on it. */
final class Bench implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final ReferenceExecutor executor;
    private final Memory memory;

    /** Of one rank alone. */
    Bench() {
        this(Communicator.alone());
    }

    /** Of one of several ranks. */
    Bench(Communicator communicator) {
        executor = new ReferenceExecutor(Journal.NONE, Capabilities.plain(), communicator);
        memory = executor.allocate();
    }

    /** A float32 tensor of those values. */
    TensorRef floats(String name, Shape shape, float... values) {
        return put(name, HostTensor.copyOf(arena, DType.F32, shape, values));
    }

    /** A tensor of those values, rounded. */
    TensorRef rounded(String name, DType dtype, Shape shape, float... values) {
        return put(name, HostTensor.copyOf(arena, dtype, shape, values));
    }

    TensorRef ints(String name, Shape shape, int... values) {
        return put(name, HostTensor.copyOf(arena, shape, values));
    }

    /** A tensor whose elements are not numbers until an operator writes them. */
    TensorRef poisoned(String name, DType dtype, long... dims) {
        Buffer buffer = Buffer.of(name, dtype, dims);
        memory.put(buffer, new Contents.Poison());
        return buffer.whole();
    }

    private TensorRef put(String name, HostTensor values) {
        Buffer buffer = new Buffer(name, values.dtype(), values.shape());
        memory.put(buffer, new Contents.Copied(List.of(values)));
        return buffer.whole();
    }

    /** Sequences whose pages and states lie in their pools in descending order. */
    PagedBatch paged(Batch batch, int pageTokens) {
        return paged("", batch, pageTokens);
    }

    /** The same with a prefix for the tables' names, where there are several batches. */
    PagedBatch paged(String prefix, Batch batch, int pageTokens) {
        List<Integer> positions = new ArrayList<>();
        int[] starts = new int[batch.sequences() + 1];
        int pagesEach = Math.ceilDiv(batch.longest(), pageTokens);
        int[] pages = new int[batch.sequences() * pagesEach];
        for (int b = 0; b < batch.sequences(); b++) {
            for (int i = 0; i < batch.queries().get(b); i++) {
                positions.add(batch.past().get(b) + i);
            }
            starts[b + 1] = positions.size();
        }
        for (int i = 0; i < pages.length; i++) {
            pages[i] = pages.length - 1 - i;
        }
        int[] slots = new int[batch.sequences()];
        for (int b = 0; b < slots.length; b++) {
            slots[b] = slots.length - 1 - b;
        }
        return new PagedBatch(
                batch,
                ints(
                        prefix + "positions",
                        Shape.of(positions.size()),
                        positions.stream().mapToInt(p -> p).toArray()),
                ints(prefix + "starts", Shape.of(starts.length), starts),
                ints(
                        prefix + "past",
                        Shape.of(batch.sequences()),
                        batch.past().stream().mapToInt(p -> p).toArray()),
                ints(prefix + "pageTable", Shape.of(batch.sequences(), pagesEach), pages),
                ints(prefix + "slots", Shape.of(slots.length), slots));
    }

    void run(Operator... operators) {
        Program.Builder builder = Program.builder();
        for (Operator operator : operators) {
            builder.launch(operator);
        }
        try (Execution execution = executor.prepare(builder.build(List.of()), memory)) {
            execution.run();
        }
    }

    float[] read(TensorRef tensor) {
        return memory.read(tensor, arena).copyToFloats();
    }

    @Override
    public void close() {
        memory.close();
        arena.close();
    }
}
