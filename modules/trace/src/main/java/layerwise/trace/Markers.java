package layerwise.trace;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.regex.Pattern;

/**
 * The grammar of the benchmark's own range texts: the one place where they are written and parsed.
 *
 * <p>All are push/pop ranges rather than marks, because a mark adds a row to a profiler's view. Markers that state a
 * fact enclose nothing; run labels enclose a run, cost records the launch of one operator. JSON is written as Python
 * does it by default: separators {@code ", "} and {@code ": "}, ASCII only.
 */
public final class Markers {
    /** Every marker but the run label starts so; other parsers leave such ranges out of module paths. */
    public static final String PREFIX = "layer_wise_benchmarks ";

    /** Argument of runs whose ranks could share a GPU: their times are no results. */
    public static final String SHARE_GPU = "share_gpu";

    /** Argument of runs whose times were estimated; its value says from what, and with what error. */
    public static final String ESTIMATE = "estimate";

    private static final String ARGS = PREFIX + "args ";
    private static final String PROBLEM = PREFIX + "problem_spec ";
    private static final String COST = PREFIX + "cost ";
    private static final String LAYER = PREFIX + "layer_idx ";
    private static final String IGNORE = PREFIX + "ignore";
    private static final Pattern RUN = Pattern.compile("b=\\d+ s=\\d+ ");

    private static final TypeReference<LinkedHashMap<String, Object>> MAP = new TypeReference<>() {};
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
            .disable(JsonWriteFeature.WRITE_HEX_UPPER_CASE)
            .build();
    private static final ObjectWriter WRITER = JSON.writer(new PythonSeparators());

    private Markers() {}

    /** The marker of a run's resolved options; values are strings, numbers, booleans, lists, maps and nulls. */
    public static String args(Map<String, ?> values) {
        return ARGS + write(values);
    }

    /** The marker that starts a problem. */
    public static String problem(ProblemSpec spec) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("batch_size", spec.batchSize());
        values.put("seq_len_q", spec.seqLenQ());
        values.put("seq_len_kv_cache", spec.seqLenKvCache());
        values.put(
                "balance_ratio",
                spec.balanceRatio().isPresent() ? spec.balanceRatio().getAsDouble() : null);
        return PROBLEM + write(values);
    }

    /** The label around each timed run of a problem, warm-up included. */
    public static String run(ProblemSpec spec, int worldSize) {
        String ratio = spec.balanceRatio().isPresent()
                ? " balance=" + ratio(spec.balanceRatio().getAsDouble())
                : "";
        return "b=" + spec.batchSize() + " s=" + spec.seqLenQ() + " past=" + spec.seqLenKvCache() + ratio + " NP"
                + worldSize;
    }

    /** A balance ratio as labels and the statistics line print it: two significant digits. */
    public static String ratio(double value) {
        return PythonFormat.general(value, 2);
    }

    /** The range around bookkeeping that reports leave out. */
    public static String ignore() {
        return IGNORE;
    }

    /** The range around one decoder layer of a serving run. */
    public static String layer(int index) {
        return LAYER + index;
    }

    /** The range around the launch of one operator, eager or during capture. */
    public static String cost(CostRecord cost) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("operator", cost.operator());
        values.put("shape", cost.shape());
        values.put("format", cost.format());
        values.put("flops", cost.flops());
        values.put("bytes", cost.bytes());
        values.put("link_bytes", cost.linkBytes());
        values.put("bound", cost.bound());
        values.put("limit_ns", Double.isFinite(cost.limitNanos()) ? cost.limitNanos() : null);
        values.put("ceiling_ns", Double.isFinite(cost.ceilingNanos()) ? cost.ceilingNanos() : null);
        return COST + write(values);
    }

    /**
     * What a range's text means.
     *
     * @throws TraceException if the text is a marker whose JSON is damaged or lacks a field
     */
    public static Marker parse(String text) {
        if (!text.startsWith(PREFIX)) {
            return RUN.matcher(text).lookingAt() ? new Marker.Run(text) : new Marker.Module(text);
        }
        if (text.startsWith(ARGS + "{")) {
            return new Marker.Args(read(text, ARGS));
        }
        if (text.startsWith(PROBLEM + "{")) {
            return new Marker.Problem(problem(text));
        }
        if (text.startsWith(COST + "{")) {
            return new Marker.Cost(cost(text));
        }
        if (text.startsWith(LAYER)) {
            return layer(text);
        }
        return text.equals(IGNORE) ? new Marker.Ignore() : new Marker.Unknown(text);
    }

    private static Marker layer(String text) {
        String index = text.substring(LAYER.length());
        return index.matches("\\d{1,9}") ? new Marker.Layer(Integer.parseInt(index)) : new Marker.Unknown(text);
    }

    private static ProblemSpec problem(String text) {
        Map<String, Object> values = read(text, PROBLEM);
        Object ratio = values.get("balance_ratio");
        return new ProblemSpec(
                (int) whole(values, "batch_size", PROBLEM),
                (int) whole(values, "seq_len_q", PROBLEM),
                (int) whole(values, "seq_len_kv_cache", PROBLEM),
                ratio instanceof Number number ? OptionalDouble.of(number.doubleValue()) : OptionalDouble.empty());
    }

    private static CostRecord cost(String text) {
        Map<String, Object> values = read(text, COST);
        return new CostRecord(
                String.valueOf(values.get("operator")),
                String.valueOf(values.get("shape")),
                String.valueOf(values.get("format")),
                Math.max(0, whole(values, "flops", COST)),
                Math.max(0, whole(values, "bytes", COST)),
                // Traces of versions before links and bounds were recorded have neither.
                values.get("link_bytes") instanceof Number number ? Math.max(0, number.longValue()) : 0,
                values.get("bound") instanceof String bound ? bound : "",
                values.get("limit_ns") instanceof Number number ? number.doubleValue() : Double.NaN,
                values.get("ceiling_ns") instanceof Number number ? number.doubleValue() : Double.NaN);
    }

    private static long whole(Map<String, Object> values, String key, String marker) {
        if (values.get(key) instanceof Number number) {
            return number.longValue();
        }
        throw new TraceException("marker '" + marker.strip() + "': " + key + "=" + values.get(key)
                + " is not a number; the recorder and this program differ in version, or the trace is damaged");
    }

    private static Map<String, Object> read(String text, String marker) {
        try {
            return JSON.readValue(text.substring(marker.length()), MAP);
        } catch (JsonProcessingException e) {
            throw new TraceException(
                    "marker '" + marker.strip() + "' has damaged JSON (" + e.getOriginalMessage() + "): " + text, e);
        }
    }

    private static String write(Map<String, ?> values) {
        try {
            return WRITER.writeValueAsString(values);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("not plain data: " + values, e);
        }
    }

    /** One line with Python's default separators. */
    private static final class PythonSeparators extends MinimalPrettyPrinter {
        private static final long serialVersionUID = 1L;

        @Override
        public void writeObjectFieldValueSeparator(JsonGenerator json) throws IOException {
            json.writeRaw(": ");
        }

        @Override
        public void writeObjectEntrySeparator(JsonGenerator json) throws IOException {
            json.writeRaw(", ");
        }

        @Override
        public void writeArrayValueSeparator(JsonGenerator json) throws IOException {
            json.writeRaw(", ");
        }
    }
}
