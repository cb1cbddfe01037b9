package layerwise.model.weights;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.SequencedCollection;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.Set;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.NamedTensors;
import layerwise.tensor.Shape;

/** Tensors of another source; remembers which were asked for, in what shape and types. */
public final class AskedTensors implements NamedTensors {
    private final NamedTensors source;
    private final SequencedMap<String, Asked> asked = new LinkedHashMap<>();

    public AskedTensors(NamedTensors source) {
        this.source = source;
    }

    /**
     * A tensor that was asked for.
     *
     * @param dtypes types that would do
     */
    public record Asked(String name, Shape shape, Set<DType> dtypes) {
        public Asked {
            dtypes = Set.copyOf(dtypes);
        }
    }

    /** What was asked for, each tensor once, in the order of the first time. */
    public SequencedCollection<Asked> asked() {
        return Collections.unmodifiableSequencedCollection(asked.sequencedValues());
    }

    @Override
    public SequencedSet<String> names() {
        return source.names();
    }

    @Override
    public boolean contains(String name) {
        return source.contains(name);
    }

    @Override
    public HostTensor tensor(String name) {
        HostTensor tensor = source.tensor(name);
        asked.putIfAbsent(name, new Asked(name, tensor.shape(), Set.of(tensor.dtype())));
        return tensor;
    }

    @Override
    public HostTensor tensor(String name, Shape shape, Set<DType> dtypes) {
        HostTensor tensor = source.tensor(name, shape, dtypes);
        asked.putIfAbsent(name, new Asked(name, shape, dtypes));
        return tensor;
    }

    @Override
    public Path file(String name) {
        return source.file(name);
    }
}
