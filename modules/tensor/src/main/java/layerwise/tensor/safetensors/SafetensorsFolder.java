package layerwise.tensor.safetensors;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import layerwise.tensor.ConfigException;
import layerwise.tensor.HostTensor;
import layerwise.tensor.NamedTensors;
import layerwise.tensor.NearestNames;

/**
 * A checkpoint folder as Hugging Face publishes it: one {@code model.safetensors}, or several files and the
 * {@code model.safetensors.index.json} that says which tensor lies in which, or several files whose headers say it.
 *
 * <p>With an index a file is mapped when the first of its tensors is asked for, so a folder that holds only some files of a
 * large checkpoint serves the layers it has.
 */
public final class SafetensorsFolder implements NamedTensors {
    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";

    private static final Pattern FILE_NAME = Pattern.compile("[\\w.-]+\\.safetensors");

    private final Path folder;
    private final Arena arena;
    private final SequencedMap<String, String> fileNames;
    private final Map<String, SafetensorsFile> opened = new ConcurrentHashMap<>();

    private SafetensorsFolder(Path folder, Arena arena, SequencedMap<String, String> fileNames) {
        this.folder = folder;
        this.arena = arena;
        this.fileNames = fileNames;
    }

    /**
     * Opens a folder; where it holds several forms the single file counts first and the index next, as in transformers.
     *
     * @param arena the lifetime of every mapping and tensor
     * @throws ConfigException if the folder holds no form, or a broken one
     */
    public static SafetensorsFolder open(Path folder, Arena arena) {
        if (Files.exists(folder.resolve(SINGLE), LinkOption.NOFOLLOW_LINKS)) {
            SafetensorsFile file = SafetensorsFile.open(folder.resolve(SINGLE), arena);
            SequencedMap<String, String> fileNames = new LinkedHashMap<>();
            file.names().forEach(name -> fileNames.put(name, SINGLE));
            SafetensorsFolder single = new SafetensorsFolder(folder, arena, fileNames);
            single.opened.put(SINGLE, file);
            return single;
        }
        if (Files.exists(folder.resolve(INDEX), LinkOption.NOFOLLOW_LINKS)) {
            return new SafetensorsFolder(folder, arena, weightMap(folder.resolve(INDEX)));
        }
        return withoutIndex(folder, arena);
    }

    private static SafetensorsFolder withoutIndex(Path folder, Arena arena) {
        List<Path> files = files(folder);
        if (files.isEmpty()) {
            throw new ConfigException("%s: %s, expected a checkpoint folder with %s, %s or other .safetensors files"
                    .formatted(
                            folder,
                            Files.isDirectory(folder) ? "none of them found" : "no such folder",
                            SINGLE,
                            INDEX));
        }
        SequencedMap<String, String> fileNames = new LinkedHashMap<>();
        Map<String, SafetensorsFile> opened = new LinkedHashMap<>();
        for (Path path : files) {
            String fileName = path.getFileName().toString();
            SafetensorsFile file = SafetensorsFile.open(path, arena);
            opened.put(fileName, file);
            for (String name : file.names()) {
                String other = fileNames.put(name, fileName);
                if (other != null) {
                    throw new ConfigException("%s: tensor '%s' is in %s and in %s, expected it in one of them, or %s"
                            .formatted(folder, name, other, fileName, INDEX));
                }
            }
        }
        SafetensorsFolder checkpoint = new SafetensorsFolder(folder, arena, fileNames);
        checkpoint.opened.putAll(opened);
        return checkpoint;
    }

    private static List<Path> files(Path folder) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().endsWith(".safetensors"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new ConfigException("%s: cannot be read: %s".formatted(folder, e), e);
        }
    }

    private static SequencedMap<String, String> weightMap(Path index) {
        SequencedMap<String, String> fileNames = new LinkedHashMap<>();
        try (StrictJson json = StrictJson.open(index, "index", bytes(index))) {
            Map<String, Boolean> members = json.document(key -> {
                if (key.equals("weight_map")) {
                    fileNames.putAll(json.object("weight_map", name -> fileName(index, name, json.string(name))));
                } else {
                    json.skip();
                }
                return true;
            });
            if (!members.containsKey("weight_map")) {
                throw new ConfigException("%s: keys %s, expected weight_map".formatted(index, members.keySet()));
            }
        }
        return fileNames;
    }

    private static byte[] bytes(Path index) {
        try {
            if (Files.size(RegularFile.require(index, "an index of tensors")) > StrictJson.MAX_BYTES) {
                throw new ConfigException(
                        "%s: %s bytes, expected at most %s".formatted(index, Files.size(index), StrictJson.MAX_BYTES));
            }
            return Files.readAllBytes(index);
        } catch (IOException e) {
            throw new ConfigException("%s: cannot be read: %s".formatted(index, e), e);
        }
    }

    /** A checkpoint's files lie beside its index: a name that leads elsewhere is refused. */
    private static String fileName(Path index, String tensor, String name) {
        if (!FILE_NAME.matcher(name).matches()) {
            throw new ConfigException(
                    "%s: tensor '%s' is in '%s', expected the name of a .safetensors file beside the index"
                            .formatted(index, tensor, name));
        }
        return name;
    }

    @Override
    public SequencedSet<String> names() {
        return Collections.unmodifiableSequencedSet(fileNames.sequencedKeySet());
    }

    @Override
    public boolean contains(String name) {
        return fileNames.containsKey(name);
    }

    @Override
    public HostTensor tensor(String name) {
        Path file = file(name);
        return opened.computeIfAbsent(fileNames.get(name), key -> open(file, name))
                .tensor(name);
    }

    private SafetensorsFile open(Path file, String name) {
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            throw new ConfigException("%s: no such file, expected there the tensor '%s' that %s places in it"
                    .formatted(file, name, INDEX));
        }
        return SafetensorsFile.open(file, arena);
    }

    @Override
    public Path file(String name) {
        String fileName = fileNames.get(name);
        if (fileName == null) {
            throw new ConfigException("%s: no tensor '%s' among %s%s"
                    .formatted(folder, name, fileNames.size(), NearestNames.hint(name, fileNames.keySet())));
        }
        return folder.resolve(fileName);
    }
}
