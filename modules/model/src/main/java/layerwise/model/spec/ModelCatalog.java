package layerwise.model.spec;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import layerwise.tensor.ConfigException;
import layerwise.tensor.NearestNames;

/** Finds a model by the name that the user gave: a checkpoint folder, or a name that {@code configs/models} ships. */
public final class ModelCatalog {
    private final Path shipped;

    /**
     * Opens the catalogue.
     *
     * @param shipped folder of the shipped {@code *.json}
     */
    public ModelCatalog(Path shipped) {
        this.shipped = shipped;
    }

    /**
     * The architecture of a model.
     *
     * @throws ConfigException if it is neither a folder nor shipped, naming the nearest that are
     */
    public ModelSpec find(String model) {
        Path folder = Path.of(model);
        if (Files.isDirectory(folder)) {
            return ModelReader.fromFolder(model, folder);
        }
        return ModelReader.fromShipped(file(model));
    }

    /**
     * The shipped file of a model.
     *
     * @throws ConfigException if none is shipped, naming the nearest that are
     */
    public Path file(String model) {
        SequencedMap<String, Path> names = names();
        Path file = names.get(model);
        if (file == null) {
            throw new ConfigException("model: '%s' is neither a checkpoint folder nor one of %s%s"
                    .formatted(model, String.join(", ", names.keySet()), NearestNames.hint(model, names.keySet())));
        }
        return file;
    }

    private SequencedMap<String, Path> names() {
        SequencedMap<String, Path> names = new TreeMap<>();
        try (Stream<Path> files = Files.list(shipped)) {
            files.filter(file -> file.toString().endsWith(".json"))
                    .forEach(file -> names.put(ModelReader.shippedName(file), file));
        } catch (IOException e) {
            throw new ConfigException("%s: cannot be read: expected the folder of model files".formatted(shipped), e);
        }
        return names;
    }
}
