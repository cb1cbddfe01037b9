package layerwise.bench.collectives;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import layerwise.bench.config.CsvLine;
import layerwise.bench.config.ResultFile;
import layerwise.bench.config.Statistics;

/**
 * The rows as CSV and JSON, which also has every sample.
 *
 * @param csv       its file
 * @param json      its file
 * @param device    what ran
 * @param ranks     R
 * @param arguments of the run
 */
record CollectiveFiles(Path csv, Path json, String device, int ranks, Map<String, Object> arguments) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int SCHEMA_VERSION = 1;

    private static final List<String> COLUMNS = List.of(
            "collective",
            "bytes",
            "carrier",
            "algorithm",
            "mode",
            "calls",
            "samples",
            "micros",
            "min_micros",
            "max_micros",
            "algorithm_gb_s",
            "bus_gb_s",
            "link_share");

    CollectiveFiles {
        arguments = Map.copyOf(arguments);
    }

    static CollectiveFiles of(Path folder, String device, int ranks, Map<String, Object> arguments) {
        String stem = "collectives_np" + ranks;
        return new CollectiveFiles(
                folder.resolve(stem + ".csv"), folder.resolve(stem + ".json"), device, ranks, arguments);
    }

    void write(List<TimedCollective> rows) {
        StringBuilder lines = new StringBuilder(CsvLine.of(COLUMNS));
        rows.forEach(row -> lines.append(CsvLine.of(fields(row))));
        ResultFile.write(csv, lines.toString());
        ResultFile.write(json, json(rows));
    }

    private static List<String> fields(TimedCollective row) {
        Statistics micros = row.statistics();
        return List.of(
                row.shape().collective().toString(),
                String.valueOf(row.shape().bytes().bytes()),
                row.carrier(),
                row.algorithm(),
                row.mode().toString(),
                String.valueOf(row.calls()),
                String.valueOf(row.times().micros().size()),
                number(micros.median()),
                number(micros.min()),
                number(micros.max()),
                number(row.algorithmBandwidth()),
                number(row.busBandwidth()),
                number(row.linkShare()));
    }

    /** Empty where it is not known. */
    private static String number(double value) {
        return Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%.4f", value);
    }

    private String json(List<TimedCollective> rows) {
        ObjectNode file = JSON.createObjectNode();
        file.put("schema_version", SCHEMA_VERSION);
        file.put("device", device);
        file.put("ranks", ranks);
        file.set("args", JSON.valueToTree(new TreeMap<>(arguments)));
        rows.forEach(row -> file.withArray("collectives").add(json(row)));
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(file) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of numbers and text", e);
        }
    }

    private static ObjectNode json(TimedCollective row) {
        ObjectNode node = JSON.createObjectNode();
        node.put("collective", row.shape().collective().toString());
        node.put("bytes", row.shape().bytes().bytes());
        node.put("carrier", row.carrier());
        node.put("algorithm", row.algorithm());
        node.put("mode", row.mode().toString());
        node.put("calls", row.calls());
        node.put("algorithm_gb_s", row.algorithmBandwidth());
        node.put("bus_gb_s", row.busBandwidth());
        if (!Double.isNaN(row.linkShare())) {
            node.put("link_share", row.linkShare());
        }
        node.put("slowest_rank", row.times().rank());
        node.set("micros", JSON.valueToTree(row.times().micros()));
        return node;
    }
}
