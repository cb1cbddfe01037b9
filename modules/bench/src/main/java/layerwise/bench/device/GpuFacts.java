package layerwise.bench.device;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import layerwise.op.Arithmetic;
import layerwise.op.Work;
import layerwise.tensor.ConfigException;

/**
 * What a GPU can do, from {@code configs/gpus/*.yaml}.
 *
 * @param nominal  by its data sheet
 * @param measured by the best that was seen on such a card
 */
public record GpuFacts(Rates nominal, Rates measured) {
    /**
     * Rates that bound an operator.
     *
     * @param bytesPerSecond     of the device's memory
     * @param linkBytesPerSecond of its links to others, one direction; NaN where it is not known
     * @param flops              per second, for each kind of arithmetic that is known
     */
    public record Rates(double bytesPerSecond, double linkBytesPerSecond, Map<Arithmetic, Double> flops) {
        public Rates {
            flops = Map.copyOf(flops);
        }

        /** The least time of a piece of work in nanoseconds; NaN where its arithmetic or its links have no rate. */
        public double nanos(Work work) {
            Double rate = flops.get(work.arithmetic());
            double arithmetic = work.flops() == 0 ? 0 : rate == null ? Double.NaN : work.flops() / rate;
            double links = work.linkBytes() == 0 ? 0 : work.linkBytes() / linkBytesPerSecond;
            return 1e9 * Math.max(links, Math.max(arithmetic, work.bytes() / bytesPerSecond));
        }
    }

    /**
     * The facts about a GPU of that product name; empty where no file matches it.
     *
     * @throws ConfigException if a file is damaged
     */
    public static Optional<GpuFacts> of(String product, Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.sorted().toList()) {
                JsonNode facts = parse(file);
                if (product.equals(facts.path("matches").asText())) {
                    return Optional.of(new GpuFacts(rates(file, facts, "nominal"), rates(file, facts, "measured")));
                }
            }
            return Optional.empty();
        } catch (IOException e) {
            throw new ConfigException("%s: cannot be read: expected the folder of GPU files".formatted(folder), e);
        }
    }

    private static JsonNode parse(Path file) throws IOException {
        try {
            return YAMLMapper.builder()
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build()
                    .readTree(file.toFile());
        } catch (JacksonException e) {
            throw new ConfigException(
                    "%s: malformed YAML: %s"
                            .formatted(
                                    file,
                                    e.getOriginalMessage().lines().findFirst().orElse("")),
                    e);
        }
    }

    private static Rates rates(Path file, JsonNode facts, String key) {
        JsonNode section = facts.path(key);
        Map<Arithmetic, Double> flops = new EnumMap<>(Arithmetic.class);
        for (Arithmetic arithmetic : List.of(Arithmetic.values())) {
            String name = arithmetic.name().toLowerCase(Locale.ROOT);
            if (section.has(name)) {
                flops.put(arithmetic, positive(file, key, name, section.get(name)));
            }
        }
        String links = "link_bytes_per_second";
        return new Rates(
                positive(file, key, "bytes_per_second", section.path("bytes_per_second")),
                section.has(links) ? positive(file, key, links, section.get(links)) : Double.NaN,
                flops);
    }

    private static double positive(Path file, String section, String key, JsonNode value) {
        // YAML 1.1 takes 3.35e12 without a sign in its exponent for a string.
        try {
            double number = Double.parseDouble(value.asText());
            if (number > 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw new ConfigException(
                    "%s: %s.%s: expected a positive number, got %s".formatted(file, section, key, value), e);
        }
        throw new ConfigException("%s: %s.%s: expected a positive number, got %s".formatted(file, section, key, value));
    }
}
