package layerwise.bench.forward;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Consumer;
import layerwise.tensor.HostTensor;
import layerwise.tensor.safetensors.SafetensorsFolder;
import layerwise.tensor.safetensors.SafetensorsWriter;

/** A fixture's checkpoint written again, in another form or with changes. */
final class CheckpointCopy {
    /** How a folder holds its tensors. */
    enum Form {
        SINGLE,
        SHARDED,
        WITHOUT_INDEX
    }

    private CheckpointCopy() {}

    /**
     * Writes {@code fixture} to {@code target}.
     *
     * @param change edits the tensors first
     */
    static Path write(
            Path fixture, Path target, Form form, Arena arena, Consumer<SequencedMap<String, HostTensor>> change) {
        LinkedHashMap<String, HostTensor> tensors = new LinkedHashMap<>();
        SafetensorsFolder source = SafetensorsFolder.open(fixture, arena);
        source.names().forEach(name -> tensors.put(name, source.tensor(name)));
        change.accept(tensors);
        try {
            Files.createDirectories(target);
            Files.copy(
                    fixture.resolve("config.json"), target.resolve("config.json"), StandardCopyOption.REPLACE_EXISTING);
            if (form == Form.SINGLE) {
                SafetensorsWriter.write(target.resolve("model.safetensors"), tensors, new LinkedHashMap<>());
                return target;
            }
            List<String> places = new ArrayList<>();
            List<LinkedHashMap<String, HostTensor>> files =
                    List.of(new LinkedHashMap<>(), new LinkedHashMap<>(), new LinkedHashMap<>());
            int number = 0;
            for (String name : tensors.keySet()) {
                int file = number++ % files.size();
                files.get(file).put(name, tensors.get(name));
                places.add("\"%s\": \"%s\"".formatted(name, fileName(file)));
            }
            for (int file = 0; file < files.size(); file++) {
                SafetensorsWriter.write(target.resolve(fileName(file)), files.get(file), new LinkedHashMap<>());
            }
            if (form == Form.SHARDED) {
                Files.writeString(
                        target.resolve("model.safetensors.index.json"),
                        "{\"metadata\": {}, \"weight_map\": {%s}}".formatted(String.join(", ", places)));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return target;
    }

    private static String fileName(int file) {
        return "model-%05d-of-00003.safetensors".formatted(file + 1);
    }
}
