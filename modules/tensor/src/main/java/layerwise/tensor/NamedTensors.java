package layerwise.tensor;

import java.nio.file.Path;
import java.util.SequencedSet;
import java.util.Set;

/** Tensors that are found by name: those of one file, or those of a whole checkpoint. */
public interface NamedTensors {
    /** Every name, in the order of the file. */
    SequencedSet<String> names();

    boolean contains(String name);

    /**
     * The tensor of that name; a view that shares the memory and the lifetime of its source.
     *
     * @throws ConfigException if there is no such tensor, naming the nearest that exist, or its type has no {@link DType}
     */
    HostTensor tensor(String name);

    /**
     * The file that holds the tensor of that name, for messages.
     *
     * @throws ConfigException if there is no such tensor
     */
    Path file(String name);

    /**
     * The tensor of that name, which must have that shape and one of those types.
     *
     * @throws ConfigException if there is no such tensor, or it is of another shape or type
     */
    default HostTensor tensor(String name, Shape shape, Set<DType> dtypes) {
        HostTensor tensor = tensor(name);
        if (!dtypes.contains(tensor.dtype()) || !tensor.shape().equals(shape)) {
            throw new ConfigException("%s: tensor '%s' is %s, expected %s %s"
                    .formatted(
                            file(name),
                            name,
                            tensor,
                            dtypes.size() == 1 ? dtypes.iterator().next() : dtypes,
                            shape));
        }
        return tensor;
    }
}
