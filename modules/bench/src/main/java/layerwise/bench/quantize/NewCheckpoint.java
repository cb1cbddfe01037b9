package layerwise.bench.quantize;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import layerwise.model.weights.AskedTensors.Asked;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;
import layerwise.tensor.safetensors.SafetensorsOutput;
import layerwise.tensor.safetensors.SafetensorsOutput.Spec;

/** The files of a checkpoint that is being written: what its layers will ask for, in files of at most so many bytes. */
final class NewCheckpoint {
    private static final String WEIGHT = ".weight";

    private final Path folder;
    private final Matrices source;
    private final List<List<Spec>> files = new ArrayList<>();
    private final List<Asked> work = new ArrayList<>();
    private final Map<String, DType> plainTypes = new HashMap<>();

    /**
     * Plans it.
     *
     * @param tensors   what the layers ask for in the new format
     * @param fileBytes greatest size of a file that holds more than one tensor
     */
    NewCheckpoint(Path folder, Matrices source, Collection<Asked> tensors, long fileBytes) {
        this.folder = folder;
        this.source = source;
        long room = 0;
        for (Asked tensor : tensors) {
            Spec spec = spec(tensor);
            if (spec.bytes() > room || files.isEmpty()) {
                files.add(new ArrayList<>());
                room = Math.max(fileBytes, spec.bytes());
            }
            files.getLast().add(spec);
            room -= spec.bytes();
            if (!isScale(tensor.name())) {
                work.add(tensor);
            }
        }
    }

    private Spec spec(Asked tensor) {
        if (tensor.dtypes().equals(Set.of(DType.I8))) {
            return Spec.packed(tensor.name(), tensor.shape());
        }
        DType only = tensor.dtypes().iterator().next();
        if (isScale(tensor.name()) || only == DType.E4M3) {
            return Spec.of(tensor.name(), only, tensor.shape());
        }
        DType plain = source.plainType(tensor.name(), tensor.shape(), tensor.dtypes());
        plainTypes.put(tensor.name(), plain);
        return Spec.of(tensor.name(), plain, tensor.shape());
    }

    /** Scales are written with their matrix. */
    private static boolean isScale(String name) {
        return Stream.of(".weight_scale_inv", ".weight_scale", ".weight_scale_2")
                .anyMatch(name::endsWith);
    }

    long bytes() {
        return files.stream().flatMap(List::stream).mapToLong(Spec::bytes).sum();
    }

    /** Writes all of it, several matrices at once. */
    void write() {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new ConfigException("%s: cannot be written: %s".formatted(folder, e), e);
        }
        Map<String, SafetensorsOutput> places = new HashMap<>();
        List<SafetensorsOutput> outputs = new ArrayList<>();
        try {
            for (int i = 0; i < files.size(); i++) {
                SafetensorsOutput output =
                        SafetensorsOutput.create(folder.resolve(fileName(i)), files.get(i), Map.of("format", "pt"));
                outputs.add(output);
                files.get(i).forEach(spec -> places.put(spec.name(), output));
            }
            work.parallelStream().forEach(tensor -> write(tensor, places));
            outputs.forEach(SafetensorsOutput::finish);
            if (files.size() > 1) {
                ConfigFiles.write(folder.resolve("model.safetensors.index.json"), index());
            }
        } finally {
            outputs.forEach(SafetensorsOutput::close);
        }
    }

    private String fileName(int i) {
        return files.size() == 1
                ? "model.safetensors"
                : "model-%05d-of-%05d.safetensors".formatted(i + 1, files.size());
    }

    private ObjectNode index() {
        ObjectNode index = ConfigFiles.newObject();
        index.putObject("metadata").put("total_size", bytes());
        ObjectNode map = index.putObject("weight_map");
        for (int i = 0; i < files.size(); i++) {
            String fileName = fileName(i);
            files.get(i).forEach(spec -> map.put(spec.name(), fileName));
        }
        return index;
    }

    private void write(Asked tensor, Map<String, SafetensorsOutput> places) {
        String name = tensor.name();
        Shape shape = tensor.shape();
        Optional<DType> plain = Optional.ofNullable(plainTypes.get(name));
        if (plain.isPresent()) {
            int k = shape.rank() == 0 ? 1 : (int) shape.dim(-1);
            new Encoder(source.rows(name, shape), shape.elements() / k, k).plain(plain.get(), sink(name, places));
            return;
        }
        String module = name.substring(0, name.length() - WEIGHT.length());
        if (tensor.dtypes().contains(DType.E4M3)) {
            String scales = module + ".weight_scale_inv";
            encoder(name, shape.dim(0), shape.dim(1))
                    .blockScaled(sink(name, places), (blocks, values) -> put(scales, blocks, places, values));
            return;
        }
        float scale = encoder(name, shape.dim(0), 2 * shape.dim(1))
                .nvfp4(sink(name, places), sink(module + ".weight_scale", places));
        put(module + ".weight_scale_2", Shape.of(), places, scale);
    }

    private Encoder encoder(String name, long n, long k) {
        return new Encoder(source.rows(name, Shape.of(n, k)), n, (int) k);
    }

    private static Encoder.Sink sink(String name, Map<String, SafetensorsOutput> places) {
        return (from, bytes) -> places.get(name).write(name, from, bytes);
    }

    private static void put(String name, Shape shape, Map<String, SafetensorsOutput> places, float... values) {
        try (Arena arena = Arena.ofConfined()) {
            places.get(name).write(name, HostTensor.copyOf(arena, DType.F32, shape, values));
        }
    }
}
