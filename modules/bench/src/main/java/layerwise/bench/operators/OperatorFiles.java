package layerwise.bench.operators;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import layerwise.bench.config.CsvLine;
import layerwise.bench.config.ResultFile;
import layerwise.bench.config.Statistics;
import layerwise.bench.ranks.Rank;

/**
 * The rows of one rank as CSV and JSON, which also has every replay's time.
 *
 * @param csv    its file
 * @param json   its file
 * @param device what ran
 * @param arguments of the run
 */
record OperatorFiles(Path csv, Path json, String device, Map<String, Object> arguments) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int SCHEMA_VERSION = 1;

    private static final List<String> COLUMNS = List.of(
            "model",
            "batch_size",
            "seq_len_q",
            "seq_len_kv_cache",
            "module",
            "operator",
            "shape",
            "sizes",
            "path",
            "kernels",
            "copies",
            "cache",
            "replays",
            "limit_us",
            "bound",
            "median_us",
            "min_us",
            "max_us",
            "ratio",
            "tflops",
            "gbps");

    OperatorFiles {
        arguments = Collections.unmodifiableMap(new LinkedHashMap<>(arguments)); // options without a value are null
    }

    static OperatorFiles of(Path folder, Rank rank, String device, Map<String, Object> arguments) {
        String stem = "operators_np%d_rank%d".formatted(rank.world(), rank.rank());
        return new OperatorFiles(folder.resolve(stem + ".csv"), folder.resolve(stem + ".json"), device, arguments);
    }

    void write(List<TimedOperator> rows) {
        StringBuilder lines = new StringBuilder(CsvLine.of(COLUMNS));
        rows.forEach(row -> lines.append(CsvLine.of(fields(row))));
        ResultFile.write(csv, lines.toString());
        ResultFile.write(json, json(rows));
    }

    private List<String> fields(TimedOperator row) {
        Statistics micros = row.statistics();
        return List.of(
                String.valueOf(arguments.get("model")),
                String.valueOf(row.problem().batchSize()),
                String.valueOf(row.problem().seqLenQ()),
                String.valueOf(row.problem().seqLenKvCache()),
                row.module(),
                row.cost().operator(),
                row.cost().shape(),
                row.sizes().toString(),
                row.path(),
                String.join(" ", row.kernels()),
                String.valueOf(row.copies()),
                row.cache().toString(),
                String.valueOf(row.micros().size()),
                number(row.limit()),
                row.cost().bound(),
                number(micros.median()),
                number(micros.min()),
                number(micros.max()),
                number(row.ratio()),
                number(row.teraflops()),
                number(row.gigabytes()));
    }

    /** Empty where it is not known. */
    private static String number(double value) {
        return Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%.3f", value);
    }

    private String json(List<TimedOperator> rows) {
        ObjectNode file = JSON.createObjectNode();
        file.put("schema_version", SCHEMA_VERSION);
        file.put("device", device);
        file.set("args", JSON.valueToTree(arguments));
        rows.forEach(row -> file.withArray("operators").add(json(row)));
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(file) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of numbers and text", e);
        }
    }

    private static ObjectNode json(TimedOperator row) {
        ObjectNode node = JSON.createObjectNode();
        node.put("batch_size", row.problem().batchSize());
        node.put("seq_len_q", row.problem().seqLenQ());
        node.put("seq_len_kv_cache", row.problem().seqLenKvCache());
        node.put("module", row.module());
        node.put("operator", row.cost().operator());
        node.put("shape", row.cost().shape());
        node.set("sizes", JSON.valueToTree(row.sizes().pairs()));
        node.put("path", row.path());
        node.set("kernels", JSON.valueToTree(row.kernels()));
        node.put("copies", row.copies());
        node.put("cache", row.cache().toString());
        node.put("flops", row.cost().flops());
        node.put("bytes", row.cost().bytes());
        if (!Double.isNaN(row.limit())) {
            node.put("limit_us", row.limit());
            node.put("bound", row.cost().bound());
        }
        node.set("micros", JSON.valueToTree(row.micros()));
        return node;
    }
}
