package layerwise.cuda;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import layerwise.tensor.ConfigException;

/**
 * Algorithms that were found fastest, kept in a file from run to run.
 *
 * <p>The file is a JSON object. Its {@code schema} is {@value #SCHEMA}; {@code algorithms} has an object for each GPU,
 * version of driver and cuBLASLt, and set of CUBINs, and in it the algorithm of each {@link MatmulProblem}. What other
 * GPUs and versions left there is kept.
 */
public final class AlgorithmFile {
    static final String SCHEMA = "layerwise.algorithms/1";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path path;
    private final String key;
    private final Map<String, MatmulAlgorithm> algorithms = new TreeMap<>();
    private boolean changed;

    private AlgorithmFile(Path path, String key) {
        this.path = path;
        this.key = key;
    }

    /** What an algorithm depends on beside its problem. */
    public static String key(DeviceInfo device, CublasLt library, CubinCatalog cubins) {
        return "%s, compute capability %s, driver %s, cuBLASLt %s, CUBINs %s"
                .formatted(
                        device.name(),
                        device.computeCapability(),
                        device.driver(),
                        library.version(),
                        cubins.digest().substring(0, 16));
    }

    /**
     * Reads a file; none is as good as an empty one. Its folder is made, so that a run does not end without a place for it.
     *
     * @param key of the entries to use, see {@link #key}
     * @throws ConfigException if the file is damaged or not one of ours, or cannot be read or made
     */
    public static AlgorithmFile open(Path path, String key) {
        AlgorithmFile file = new AlgorithmFile(path, key);
        JsonNode own = file.root().path("algorithms").path(key);
        for (Iterator<String> problems = own.fieldNames(); problems.hasNext(); ) {
            String problem = problems.next();
            file.algorithms.put(problem, file.algorithm(problem, own.get(problem)));
        }
        try {
            Files.createDirectories(path.toAbsolutePath().getParent());
        } catch (IOException e) {
            throw new ConfigException(path + ": expected a folder that can be made: " + e.getMessage(), e);
        }
        return file;
    }

    private ObjectNode root() {
        JsonNode root;
        try {
            if (!Files.exists(path)) {
                return JSON.createObjectNode();
            }
            root = JSON.readTree(path.toFile());
        } catch (JacksonException e) {
            throw new ConfigException(
                    "%s is damaged: no JSON at line %d; delete it, or name another file"
                            .formatted(
                                    path,
                                    e.getLocation() == null
                                            ? 1
                                            : e.getLocation().getLineNr()),
                    e);
        } catch (IOException e) {
            throw new ConfigException(path + ": cannot be read: " + e.getMessage(), e);
        }
        if (!(root instanceof ObjectNode object)
                || !root.path("schema").asText().equals(SCHEMA)) {
            throw new ConfigException(
                    "%s is no file of algorithms: expected \"schema\": \"%s\"; delete it, or name another file"
                            .formatted(path, SCHEMA));
        }
        return object;
    }

    private MatmulAlgorithm algorithm(String problem, JsonNode value) {
        try {
            return MatmulAlgorithm.parse(value.asText());
        } catch (ConfigException e) {
            throw new ConfigException(
                    "%s is damaged: algorithm of %s: %s; delete it, or name another file"
                            .formatted(path, problem, e.getMessage()),
                    e);
        }
    }

    /** The algorithm that was kept for a problem. */
    public Optional<MatmulAlgorithm> find(MatmulProblem problem) {
        return Optional.ofNullable(algorithms.get(problem.toString()));
    }

    /** Keeps an algorithm for a problem, in place of any other. */
    public void put(MatmulProblem problem, MatmulAlgorithm algorithm) {
        changed |= !algorithm.equals(algorithms.put(problem.toString(), algorithm));
    }

    /**
     * Writes the file, if anything was put, beside what others may have written meanwhile.
     *
     * @throws ConfigException if it cannot be written; the old one is left
     */
    public void write() {
        if (!changed) {
            return;
        }
        ObjectNode root = root();
        root.put("schema", SCHEMA);
        ObjectNode own = root.withObjectProperty("algorithms").withObjectProperty(key);
        algorithms.forEach((problem, algorithm) -> own.put(problem, algorithm.toHex()));
        Path unfinished = path.resolveSibling(
                path.getFileName() + "." + ProcessHandle.current().pid());
        try {
            JSON.writerWithDefaultPrettyPrinter().writeValue(unfinished.toFile(), root);
            Files.move(unfinished, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new ConfigException(path + ": cannot be written: " + e.getMessage(), e);
        }
        changed = false;
    }
}
