package layerwise.model.weights;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.SequencedSet;
import java.util.Set;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.NamedTensors;
import layerwise.tensor.Shape;

/** Has every tensor that is asked for, all zeros, over one block of memory: for finding out what would be asked. */
public final class BlankTensors implements NamedTensors {
    private final Arena arena;
    private MemorySegment zeros = MemorySegment.NULL;

    /** @param arena lifetime of the tensors */
    public BlankTensors(Arena arena) {
        this.arena = arena;
    }

    @Override
    public SequencedSet<String> names() {
        return Collections.unmodifiableSequencedSet(new LinkedHashSet<>());
    }

    @Override
    public boolean contains(String name) {
        return true;
    }

    /** @throws UnsupportedOperationException always: nothing has a shape before it is asked for one */
    @Override
    public HostTensor tensor(String name) {
        throw new UnsupportedOperationException("a blank tensor of no shape: " + name);
    }

    /** Bfloat16 where that is among the types. */
    @Override
    public HostTensor tensor(String name, Shape shape, Set<DType> dtypes) {
        DType dtype =
                dtypes.contains(DType.BF16) ? DType.BF16 : dtypes.iterator().next();
        long bytes = dtype.bytes(shape.elements());
        if (zeros.byteSize() < bytes) {
            zeros = arena.allocate(bytes, HostTensor.ALIGNMENT);
        }
        return HostTensor.wrap(zeros.asSlice(0, bytes), dtype, shape);
    }

    @Override
    public Path file(String name) {
        return Path.of("blank");
    }
}
