package layerwise.reference;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongUnaryOperator;
import java.util.stream.LongStream;
import layerwise.op.Buffer;
import layerwise.op.Contents;
import layerwise.op.Memory;
import layerwise.op.Noise;
import layerwise.op.Region;
import layerwise.op.Summary;
import layerwise.op.TensorRef;
import layerwise.tensor.ConfigException;
import layerwise.tensor.Elements;
import layerwise.tensor.HostTensor;

/** Buffers as segments of one shared arena: the workers of an operator read and write them. */
final class ReferenceMemory implements Memory {
    private final ReferenceMemory parent;
    private final Arena arena = Arena.ofShared();
    private final Map<String, HostTensor> buffers = new HashMap<>();
    private final List<ReferenceMemory> children = new ArrayList<>();
    private boolean closed;

    ReferenceMemory(ReferenceMemory parent) {
        this.parent = parent;
    }

    @Override
    public void put(Buffer buffer, Contents contents) {
        requireAbsent(buffer);
        HostTensor tensor = allocate(buffer);
        fill(buffer, tensor, contents);
        buffers.put(buffer.name(), tensor);
    }

    /** See {@link ReferenceExecutor#place}. */
    void place(Buffer buffer, HostTensor tensor) {
        requireAbsent(buffer);
        if (tensor.dtype() != buffer.dtype() || tensor.memory().byteSize() != buffer.bytes()) {
            throw new IllegalArgumentException(tensor + " as " + buffer);
        }
        buffers.put(buffer.name(), tensor);
    }

    private void requireAbsent(Buffer buffer) {
        if (holds(buffer)) {
            throw new IllegalArgumentException("the memory holds " + buffer.name() + " already");
        }
    }

    private HostTensor allocate(Buffer buffer) {
        try {
            return HostTensor.allocate(arena, buffer.dtype(), buffer.shape().dims());
        } catch (OutOfMemoryError e) {
            throw new ConfigException(
                    "host memory: no room for %d bytes of %s; choose a smaller problem"
                            .formatted(buffer.bytes(), buffer.name()),
                    e);
        }
    }

    private static void fill(Buffer buffer, HostTensor tensor, Contents contents) {
        MemorySegment memory = tensor.memory();
        switch (contents) {
            case Contents.Undefined undefined -> memory.fill((byte) 0);
            case Contents.Zeros zeros -> memory.fill((byte) 0);
            case Contents.Poison poison -> memory.fill((byte) 0xFF);
            case Contents.Uniform uniform -> {
                float width = uniform.high() - uniform.low();
                LongUnaryOperator source =
                        source(uniform.region(), tensor.shape().elements());
                pairs(tensor.shape().elements())
                        .forEach(i -> Elements.set(
                                memory,
                                tensor.dtype(),
                                i,
                                uniform.low() + width * Noise.uniform(uniform.seed(), source.applyAsLong(i))));
            }
            case Contents.RandomBytes bytes -> {
                LongUnaryOperator source = source(bytes.region(), memory.byteSize());
                LongStream.range(0, memory.byteSize())
                        .parallel()
                        .forEach(i -> memory.set(JAVA_BYTE, i, (byte) bytes.at(source.applyAsLong(i))));
            }
            case Contents.CopyOf(Memory source) ->
                memory.copyFrom(
                        ReferenceExecutor.own(source).operand(buffer.whole()).memory());
            case Contents.Copied copied -> copy(tensor, copied);
        }
    }

    /** From elements of a buffer to those of the whole that it is a part of. */
    private static LongUnaryOperator source(Optional<Region> region, long elements) {
        if (region.isEmpty()) {
            return LongUnaryOperator.identity();
        }
        if (region.get().elements() != elements) {
            throw new IllegalArgumentException("%d elements for %s".formatted(elements, region.get()));
        }
        return region.get()::source;
    }

    /** Element indices in parallel, two neighbours by one worker, so that no two workers share a byte. */
    private static LongStream pairs(long elements) {
        return LongStream.range(0, Math.ceilDiv(elements, 2L))
                .parallel()
                .flatMap(pair -> LongStream.range(2 * pair, Math.min(2 * pair + 2, elements)));
    }

    private static void copy(HostTensor tensor, Contents.Copied copied) {
        long at = 0;
        for (HostTensor part : copied.parts()) {
            if (part.dtype() != tensor.dtype()) {
                throw new IllegalArgumentException("a part of %s for %s".formatted(part, tensor));
            }
            MemorySegment source = part.memory();
            MemorySegment.copy(source, 0, tensor.memory(), at, source.byteSize());
            at += source.byteSize();
        }
        if (at != tensor.memory().byteSize()) {
            throw new IllegalArgumentException("%d bytes for %s".formatted(at, tensor));
        }
    }

    @Override
    public boolean holds(Buffer buffer) {
        return buffers.containsKey(buffer.name()) || (parent != null && parent.holds(buffer));
    }

    Operand operand(TensorRef tensor) {
        HostTensor buffer = buffers.get(tensor.buffer().name());
        if (buffer != null) {
            return new Operand(buffer.memory(), tensor);
        }
        if (parent == null) {
            throw new IllegalStateException("no memory holds " + tensor.buffer().name());
        }
        return parent.operand(tensor);
    }

    @Override
    public HostTensor read(TensorRef tensor, Arena target) {
        HostTensor copy =
                HostTensor.allocate(target, tensor.dtype(), tensor.shape().dims());
        Operand source = operand(tensor);
        if (tensor.isContiguous()) {
            long from = tensor.dtype().bytes(tensor.offset());
            MemorySegment.copy(source.memory(), from, copy.memory(), 0, tensor.bytes());
            return copy;
        }
        int width = (int) tensor.dim(-1);
        float[] row = new float[width];
        for (long i = 0; i < source.rows(); i++) {
            source.readRow(i, row);
            Elements.write(copy.memory(), tensor.dtype(), i * width, row, 0, width);
        }
        return copy;
    }

    @Override
    public Summary summarize(TensorRef tensor) {
        Operand source = operand(tensor);
        float[] row = new float[(int) tensor.dim(-1)];
        long nans = 0;
        long infinities = 0;
        long zeros = 0;
        for (long i = 0; i < source.rows(); i++) {
            source.readRow(i, row);
            for (float value : row) {
                nans += Float.isNaN(value) ? 1 : 0;
                infinities += Float.isInfinite(value) ? 1 : 0;
                zeros += value == 0 ? 1 : 0;
            }
        }
        return new Summary(tensor.shape().elements(), nans, infinities, zeros);
    }

    @Override
    public Runnable copying(TensorRef source, TensorRef target) {
        source.requireCopyableTo(target);
        MemorySegment from = operand(source).memory().asSlice(source.dtype().bytes(source.offset()), source.bytes());
        MemorySegment to = operand(target).memory().asSlice(target.dtype().bytes(target.offset()), target.bytes());
        return () -> to.copyFrom(from);
    }

    @Override
    public void refill(Buffer buffer, Contents contents) {
        HostTensor tensor = HostTensor.wrap(operand(buffer.whole()).memory(), buffer.dtype(), buffer.shape());
        fill(buffer, tensor, contents);
    }

    @Override
    public OptionalLong firstNotFinite(Buffer buffer) {
        MemorySegment memory = operand(buffer.whole()).memory();
        return switch (buffer.dtype()) {
            case F32, F16, BF16, E4M3, E5M2 ->
                LongStream.range(0, buffer.shape().elements())
                        .parallel()
                        .filter(i -> !Float.isFinite(Elements.get(memory, buffer.dtype(), i)))
                        .min();
            case E2M1, UE8M0, I32, I8 -> OptionalLong.empty();
        };
    }

    @Override
    public ReferenceMemory nested() {
        ReferenceMemory child = new ReferenceMemory(this);
        children.add(child);
        return child;
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        children.reversed().forEach(ReferenceMemory::close);
        if (parent != null) {
            parent.children.remove(this);
        }
        arena.close();
    }
}
