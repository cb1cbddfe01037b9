package layerwise.tensor.safetensors;

import java.nio.file.Path;
import java.util.List;
import java.util.SequencedMap;
import layerwise.tensor.ConfigException;
import layerwise.tensor.HostTensor;

/**
 * Writes safetensors files of tensors that are all at hand: the same tensors in the same order give the same bytes.
 *
 * @see SafetensorsOutput
 */
public final class SafetensorsWriter {
    private SafetensorsWriter() {}

    /**
     * Writes {@code tensors} in their order. The file appears complete or not at all; one that exists is replaced.
     *
     * @param tensors  contiguous tensors; their bytes go from their memory to the file without a copy of the whole
     * @param metadata free text for {@code __metadata__}, which is left out where there is none
     * @throws ConfigException       if the file cannot be written
     * @throws IllegalStateException if a tensor is not contiguous
     * @throws IllegalArgumentException if a tensor has the name of the metadata
     */
    public static void write(
            Path file, SequencedMap<String, HostTensor> tensors, SequencedMap<String, String> metadata) {
        List<SafetensorsOutput.Spec> specs = tensors.entrySet().stream()
                .map(named -> SafetensorsOutput.Spec.of(
                        named.getKey(),
                        named.getValue().dtype(),
                        named.getValue().shape()))
                .toList();
        try (SafetensorsOutput output = SafetensorsOutput.create(file, specs, metadata)) {
            tensors.forEach(output::write);
            output.finish();
        }
    }
}
