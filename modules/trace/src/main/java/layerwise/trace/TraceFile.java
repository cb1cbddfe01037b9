package layerwise.trace;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A trace file: an export of Nsight Systems of any version, or a recording of {@link TraceRecorder}.
 *
 * <p>Nsight Systems makes tables lazily and changes columns between versions, so every table and column is looked up by
 * name; what is missing is named together with the exporter. Each method reads its table once, in order of rows, into
 * primitive columns; methods may run at the same time on several threads. The file is opened read-only.
 */
public final class TraceFile {
    /** Name of a recorder's notes on metrics that it could not sample. */
    static final String ABSENT_METRICS = "GPU_METRICS_ABSENT";

    private static final String RUNTIME = "CUPTI_ACTIVITY_KIND_RUNTIME";
    private static final String NODE_EVENTS = "CUDA_GRAPH_NODE_EVENTS";
    private static final String OLD_NODE_EVENTS = "CUDA_GRAPH_EVENTS";

    private final Database database;
    private final Exporter exporter;

    private TraceFile(Database database, Exporter exporter) {
        this.database = database;
        this.exporter = exporter;
    }

    /**
     * Opens a trace file.
     *
     * @throws TraceException if it is missing, empty, locked, damaged or not an SQLite file
     */
    public static TraceFile open(Path file) {
        Database database = new Database(file);
        Map<String, String> facts = database.facts("EXPORT_META_DATA"); // its name up to schema 3.1.7
        facts.putAll(database.facts("META_DATA_EXPORT"));
        return new TraceFile(
                database,
                new Exporter(
                        facts.getOrDefault("EXPORT_PRODUCT_NAME", ""),
                        facts.getOrDefault("EXPORT_PRODUCT_VERSION", ""),
                        facts.getOrDefault("EXPORT_SCHEMA_VERSION", "")));
    }

    public Path path() {
        return database.file();
    }

    /** The program that wrote the file. */
    public Exporter exporter() {
        return exporter;
    }

    /** Whether the file has a table; exporters leave out tables without rows. */
    public boolean hasTable(String table) {
        return database.has(table);
    }

    /** Strings by id. */
    public Map<Integer, String> strings() {
        require("StringIds", "it is not an export of Nsight Systems", "id", "value");
        Map<Integer, String> strings = new HashMap<>();
        database.scan("SELECT id, value FROM StringIds", row -> strings.put(row.getInt(1), Database.text(row, 2)));
        return strings;
    }

    /**
     * Closed push/pop ranges.
     *
     * @throws TraceException if the trace has no ranges at all
     */
    public NvtxRanges ranges() {
        require("NVTX_EVENTS", "no NVTX range was recorded (nsys needs -t cuda,nvtx)", "start", "end", "eventType");
        require("StringIds", "it is not an export of Nsight Systems", "id", "value");
        return new RangeScan(database).read();
    }

    /**
     * CUDA API calls.
     *
     * @throws TraceException if the trace has none
     */
    public ApiCalls calls() {
        require(RUNTIME, "no CUDA API call was recorded", "start", "end", "correlationId");
        LongColumns columns = new LongColumns(database, RUNTIME, "start", "end", "globalTid", "correlationId");
        return new ApiCalls(columns.arrays(), columns.size());
    }

    /**
     * Kernels, copies and memory sets.
     *
     * @throws TraceException if the trace has no kernels
     */
    public GpuActivities activities() {
        String reason = database.has("CUPTI_ACTIVITY_KIND_GRAPH_TRACE")
                ? "graphs were traced whole (record with --cuda-graph-trace=node)"
                : "no kernel was recorded (none ran while collecting, or CUDA tracing does not work on that machine)";
        require("CUPTI_ACTIVITY_KIND_KERNEL", reason, "start", "end", "demangledName", "correlationId");
        for (String optional : List.of("CUPTI_ACTIVITY_KIND_MEMCPY", "CUPTI_ACTIVITY_KIND_MEMSET")) {
            if (database.has(optional)) {
                require(optional, "", "start", "end", "correlationId");
            }
        }
        return new ActivityScan(database).read();
    }

    /** Captures of graph nodes; empty where no graph was created while collecting. */
    public GraphNodes graphNodes() {
        // Up to schema 3.4.0 the node events are in the table that later holds graph events: decide by column.
        for (String table : List.of(NODE_EVENTS, OLD_NODE_EVENTS)) {
            if (database.columns(table).containsAll(List.of("graphNodeId", "originalGraphNodeId", "start", "end"))) {
                LongColumns columns = new LongColumns(
                        database, table, "start", "end", "globalTid", "graphNodeId", "originalGraphNodeId");
                return new GraphNodes(columns.arrays(), columns.size());
            }
        }
        return new GraphNodes(new long[5][0], 0);
    }

    /** Call chains of launches; empty where none were recorded. */
    public CallChains callChains() {
        return new CallChainScan(database).read();
    }

    /** Sampled metrics of GPUs, by GPU and name; none where they were not sampled. */
    public List<GpuMetric> gpuMetrics() {
        return new GpuMetricScan(database).read();
    }

    /** Metrics that were asked for and could not be sampled, with the reasons. */
    public List<String> absentGpuMetrics() {
        List<String> reasons = new ArrayList<>();
        if (database.columns("META_DATA_CAPTURE").containsAll(List.of("name", "value"))) {
            database.scan(
                    "SELECT value FROM META_DATA_CAPTURE WHERE name='" + ABSENT_METRICS + "' ORDER BY rowid",
                    row -> reasons.add(Database.text(row, 1)));
        }
        return reasons;
    }

    /** Names of the GPUs of the recorded machine. */
    public List<String> gpuNames() {
        List<String> names = new ArrayList<>();
        if (database.columns("TARGET_INFO_GPU").contains("name")) {
            database.scan("SELECT name FROM TARGET_INFO_GPU", row -> names.add(Database.text(row, 1)));
        }
        return names;
    }

    private void require(String table, String reason, String... columns) {
        if (!database.has(table)) {
            throw new TraceException(
                    path() + ": table " + table + " is missing (written by " + exporter + "): " + reason);
        }
        List<String> missing = new ArrayList<>(Arrays.asList(columns));
        missing.removeAll(database.columns(table));
        if (!missing.isEmpty()) {
            throw new TraceException(path() + ": column " + table + "." + missing.getFirst()
                    + " is missing (written by " + exporter + "); this version of the exporter is not supported");
        }
    }
}
