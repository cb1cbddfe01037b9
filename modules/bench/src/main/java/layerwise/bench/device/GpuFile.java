package layerwise.bench.device;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import layerwise.estimate.Fabric;
import layerwise.estimate.GpuFacts;
import layerwise.estimate.Rates;
import layerwise.op.Arithmetic;
import layerwise.tensor.ConfigException;
import layerwise.tensor.NearestNames;

/** Reads what a GPU can do from {@code configs/gpus/*.yaml}. */
public final class GpuFile {
    private static final String EXTENSION = ".yaml";
    private static final String LINKS = "link_bytes_per_second";

    private GpuFile() {}

    /**
     * The facts about a GPU whose driver says that product name; empty where no file matches it.
     *
     * @throws ConfigException if a file is damaged
     */
    public static Optional<GpuFacts> of(String product, Path folder) {
        for (Path file : files(folder)) {
            JsonNode facts = FactFile.parse(file);
            if (product.equals(facts.path("matches").asText())) {
                return Optional.of(facts(file, facts));
            }
        }
        return Optional.empty();
    }

    /**
     * The facts in the file of that name, without {@code .yaml}.
     *
     * @param place what messages start with
     * @throws ConfigException if there is none, or it is damaged
     */
    public static GpuFacts named(String place, String name, Path folder) {
        List<String> known = names(folder);
        if (!known.contains(name)) {
            throw new ConfigException("%s: no GPU '%s', expected one of %s%s"
                    .formatted(place, name, String.join(", ", known), NearestNames.hint(name, known)));
        }
        Path file = folder.resolve(name + EXTENSION);
        return facts(file, FactFile.parse(file));
    }

    /** Names of all files, without {@code .yaml}. */
    public static List<String> names(Path folder) {
        return files(folder).stream()
                .map(file -> file.getFileName().toString())
                .map(name -> name.substring(0, name.length() - EXTENSION.length()))
                .toList();
    }

    private static List<Path> files(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(EXTENSION))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new ConfigException("%s: cannot be read: expected the folder of GPU files".formatted(folder), e);
        }
    }

    private static GpuFacts facts(Path file, JsonNode facts) {
        Fabric fabric = new Fabric(
                (int) FactFile.positive(file, facts, "domain"),
                facts.path("domain_across_nodes").asBoolean(false),
                (int) FactFile.positive(file, facts, "gpus_per_node"),
                FactFile.positive(file, facts, "nic_bytes_per_second"));
        return new GpuFacts(
                facts.path("name").asText(),
                (long) FactFile.positive(file, facts, "memory_bytes"),
                rates(file, facts, "nominal"),
                facts.has("measured") ? Optional.of(rates(file, facts, "measured")) : Optional.empty(),
                fabric);
    }

    private static Rates rates(Path file, JsonNode facts, String key) {
        JsonNode section = facts.path(key);
        Map<Arithmetic, Double> flops = new EnumMap<>(Arithmetic.class);
        for (Arithmetic arithmetic : Arithmetic.values()) {
            String name = arithmetic.name().toLowerCase(Locale.ROOT);
            if (section.has(name)) {
                flops.put(arithmetic, FactFile.positive(file, facts, key, name));
            }
        }
        return new Rates(
                FactFile.positive(file, facts, key, "bytes_per_second"),
                section.has(LINKS) ? FactFile.positive(file, facts, key, LINKS) : Double.NaN,
                flops);
    }
}
