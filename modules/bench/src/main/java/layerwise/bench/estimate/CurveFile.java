package layerwise.bench.estimate;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import layerwise.bench.device.FactFile;
import layerwise.estimate.Curve;
import layerwise.estimate.Efficiency;
import layerwise.estimate.LinkCosts;
import layerwise.estimate.OperatorKind;
import layerwise.tensor.ConfigException;

/** Fits as data: {@code configs/curves/<gpu>.yaml}, written by {@code layerwise fit}. */
final class CurveFile {
    /** Whose curves stand for GPUs that were not measured. */
    private static final String DEFAULT = "h100-sxm.yaml";

    private CurveFile() {}

    /**
     * Curves measured on a GPU; those of the GPU that was measured most where there are none.
     *
     * @throws ConfigException if the file is damaged
     */
    static Efficiency of(String gpu, Path folder) {
        Path own = folder.resolve(gpu + ".yaml");
        return read(Files.isRegularFile(own) ? own : folder.resolve(DEFAULT));
    }

    /** @throws ConfigException if the file is damaged */
    static Efficiency read(Path file) {
        JsonNode facts = FactFile.parse(file);
        Map<OperatorKind, Curve> curves = new HashMap<>();
        facts.path("curves")
                .properties()
                .forEach(entry -> curves.put(OperatorKind.parse(entry.getKey()), curve(file, entry.getValue())));
        return new Efficiency(
                facts.path("gpu").asText(),
                facts.path("machine").asText(),
                curves,
                curve(file, facts.path("fallback")),
                FactFile.number(file, facts, "graph_gap_ns"),
                FactFile.number(file, facts, "eager_gap_ns"),
                new LinkCosts(
                        FactFile.number(file, facts, "collectives", "local_ns"),
                        FactFile.number(file, facts, "collectives", "remote_ns"),
                        FactFile.positive(file, facts, "collectives", "local_share"),
                        FactFile.positive(file, facts, "collectives", "remote_share")),
                new Efficiency.ExpectedError(
                        FactFile.number(file, facts, "error", "median"),
                        FactFile.number(file, facts, "error", "worst"),
                        facts.path("error").path("basis").asText()));
    }

    private static Curve curve(Path file, JsonNode facts) {
        List<Curve.Point> points = new ArrayList<>();
        for (JsonNode point : facts.path("points")) {
            points.add(new Curve.Point(
                    Double.parseDouble(point.path(0).asText()),
                    Double.parseDouble(point.path(1).asText()),
                    Double.parseDouble(point.path(2).asText())));
        }
        return new Curve(
                FactFile.number(file, facts, "overhead_ns"),
                FactFile.positive(file, facts, "compute"),
                FactFile.positive(file, facts, "memory"),
                FactFile.positive(file, facts, "sharpness"),
                points);
    }

    /** Writes a file that {@link #read} reads. */
    static void write(Efficiency fit, String comment, Path file) {
        StringBuilder yaml = new StringBuilder();
        comment.lines().forEach(line -> yaml.append("# ").append(line).append('\n'));
        yaml.append("gpu: ").append(fit.gpu()).append('\n');
        yaml.append("machine: ").append(quoted(fit.machine())).append('\n');
        yaml.append(text("graph_gap_ns: %.0f%neager_gap_ns: %.0f%n", fit.graphGap(), fit.eagerGap()));
        LinkCosts links = fit.collectives();
        yaml.append(text(
                "collectives: {local_ns: %.0f, remote_ns: %.0f, local_share: %.2f, remote_share: %.2f}%n",
                links.localNanos(), links.remoteNanos(), links.localShare(), links.remoteShare()));
        yaml.append(text(
                        "error: {median: %.4f, worst: %.4f, basis: ",
                        fit.error().median(), fit.error().worst()))
                .append(quoted(fit.error().basis()))
                .append("}\n");
        yaml.append("fallback: ").append(curve(fit.fallback())).append("}\n");
        yaml.append("# Points: [FLOP, bytes, logarithm of measured over formula].\n");
        yaml.append("curves:\n");
        new TreeMap<>(named(fit.curves())).forEach((kind, curve) -> {
            yaml.append("  ").append(quoted(kind)).append(": ").append(curve(curve));
            yaml.append(", points: [");
            for (int i = 0; i < curve.points().size(); i++) {
                Curve.Point point = curve.points().get(i);
                yaml.append(i == 0 ? "" : ", ");
                yaml.append(text("[%.3g, %.3g, %.3f]", point.flops(), point.bytes(), point.correction()));
            }
            yaml.append("]}\n");
        });
        try {
            Files.writeString(file, yaml);
        } catch (IOException e) {
            throw new ConfigException("%s: cannot be written".formatted(file), e);
        }
    }

    private static Map<String, Curve> named(Map<OperatorKind, Curve> curves) {
        Map<String, Curve> named = new HashMap<>();
        curves.forEach((kind, curve) -> named.put(kind.toString(), curve));
        return named;
    }

    private static String curve(Curve curve) {
        return text(
                "{overhead_ns: %.0f, compute: %.3f, memory: %.3f, sharpness: %.1f",
                curve.overheadNanos(), curve.compute(), curve.memory(), curve.sharpness());
    }

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
