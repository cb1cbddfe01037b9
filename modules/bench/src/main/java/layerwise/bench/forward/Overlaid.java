package layerwise.bench.forward;

import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.SequencedSet;
import layerwise.tensor.HostTensor;
import layerwise.tensor.NamedTensors;

/**
 * Tensors of a file, some of which others stand for.
 *
 * @param under the file's
 * @param over  what stands for those of the same names
 */
record Overlaid(NamedTensors under, Map<String, HostTensor> over) implements NamedTensors {
    @Override
    public SequencedSet<String> names() {
        SequencedSet<String> names = new LinkedHashSet<>(under.names());
        names.addAll(over.keySet());
        return names;
    }

    @Override
    public boolean contains(String name) {
        return over.containsKey(name) || under.contains(name);
    }

    @Override
    public HostTensor tensor(String name) {
        return over.containsKey(name) ? over.get(name) : under.tensor(name);
    }

    @Override
    public Path file(String name) {
        return under.file(name);
    }
}
