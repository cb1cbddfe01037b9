package layerwise.trace;

import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The small tables: what was recorded, on which machine, by what, and the enumerations that give ids a name. */
final class SessionFacts {
    private static final String SCHEMA = "3.24.8";
    private static final String PRODUCT_VERSION = "2025.6.3.343";
    private static final int VM = 1;
    private static final String[] COPY_KINDS = {
        "UNKNOWN",
        "HTOD",
        "DTOH",
        "HTOA",
        "ATOH",
        "ATOA",
        "ATOD",
        "DTOA",
        "DTOD",
        "HTOH",
        "PTOP",
        "UVM_HTOD",
        "UVM_DTOH",
        "UVM_DTOD"
    };
    private static final String[] MEMORY_KINDS = {
        "PAGEABLE", "PINNED", "DEVICE", "ARRAY", "MANAGED", "DEVICE_STATIC", "MANAGED_STATIC", "UNKNOWN"
    };
    private static final String[] LAUNCH_TYPES = {"UNKNOWN", "REGULAR", "COOPERATIVE_SINGLE", "COOPERATIVE_MULTI"};

    private final Map<TraceTable, List<Object[]>> tables = new EnumMap<>(TraceTable.class);
    private final List<Object[]> captured = new ArrayList<>();

    SessionFacts() {
        eventTypes();
        eventClass(0, "TRACE_PROCESS_EVENT_CUDA_RUNTIME", "CUDA runtime");
        eventClass(1, "TRACE_PROCESS_EVENT_CUDA_DRIVER", "CUDA driver");
        eventClass(77, "TRACE_PROCESS_EVENT_CUDA_GRAPH_NODE_CREATION", "CUDA graph node creation");
        eventClass(94, "TRACE_PROCESS_EVENT_CUDA_GRAPHEXEC_CREATION", "CUDA graph exec creation");
        eventClass(95, "TRACE_PROCESS_EVENT_CUDA_GRAPH_CREATION", "CUDA graph creation");
        eventClass(96, "TRACE_PROCESS_EVENT_CUDA_GRAPH_CLONE", "CUDA graph clone");
        enumeration(TraceTable.COPY_KINDS, "CUDA_MEMCPY_KIND_", COPY_KINDS);
        enumeration(TraceTable.MEMORY_KINDS, "CUDA_MEMOPR_MEMORY_KIND_", MEMORY_KINDS);
        enumeration(TraceTable.LAUNCH_TYPES, "CUDA_KERNEL_LAUNCH_TYPE_", LAUNCH_TYPES);
    }

    Map<TraceTable, List<Object[]>> tables() {
        return tables;
    }

    void capture(String name, String value) {
        captured.add(new Object[] {name, value});
    }

    void gpuMetric(int gpu, int metricId, String name) {
        add(TraceTable.GPU_METRIC_NAMES, gpu, gpu, "GPU " + gpu, metricId, name);
    }

    void gpu(GpuInfo gpu, TraceProcess process) {
        TraceTable table = TraceTable.GPUS;
        Object[] row = new Object[table.columns().size()];
        row[table.column("vmId")] = VM;
        row[table.column("id")] = gpu.cudaOrdinal();
        row[table.column("name")] = gpu.name();
        row[table.column("busLocation")] = gpu.busLocation();
        row[table.column("isDiscrete")] = 1;
        row[table.column("l2CacheSize")] = gpu.l2CacheBytes();
        row[table.column("totalMemory")] = gpu.memoryBytes();
        row[table.column("memoryBandwidth")] = gpu.memoryBandwidth();
        row[table.column("clockRate")] = gpu.clockHz();
        row[table.column("smCount")] = gpu.multiprocessors();
        row[table.column("uuid")] = gpu.uuid();
        row[table.column("chipName")] = gpu.chip();
        row[table.column("cuDevice")] = gpu.cudaOrdinal();
        row[table.column("computeMajor")] = gpu.computeMajor();
        row[table.column("computeMinor")] = gpu.computeMinor();
        add(table, row);
        add(
                TraceTable.CUDA_DEVICES,
                gpu.cudaOrdinal(),
                gpu.cudaOrdinal(),
                process.processId(),
                gpu.uuid(),
                gpu.multiprocessors());
    }

    void stream(int streamId, int contextId, int priority, int flag, TraceProcess process) {
        add(TraceTable.CUDA_STREAMS, streamId, 0, VM, process.processId(), contextId, priority, flag);
    }

    /** Facts known at the end; replaces those of an earlier write. */
    void session(TraceProcess process, long originEpochNanos, long durationNanos) {
        for (TraceTable table : List.of(
                TraceTable.SESSION,
                TraceTable.ANALYSIS,
                TraceTable.PROCESSES,
                TraceTable.EXPORT_FACTS,
                TraceTable.CAPTURE_FACTS)) {
            tables.remove(table);
        }
        Instant start = Instant.ofEpochSecond(0, originEpochNanos);
        DateTimeFormatter format = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss", Locale.ROOT);
        add(
                TraceTable.SESSION,
                originEpochNanos,
                format.format(start.atZone(ZoneOffset.UTC)),
                format.format(start.atZone(ZoneId.systemDefault())),
                originEpochNanos);
        add(TraceTable.ANALYSIS, process.globalPid(), durationNanos, 0L, durationNanos);
        add(TraceTable.PROCESSES, process.globalPid(), process.processId(), process.name());
        String[] version = SCHEMA.split("\\.");
        exported("EXPORT_PRODUCT_NAME", process.product());
        exported("EXPORT_PRODUCT_VERSION", PRODUCT_VERSION);
        exported("EXPORT_SCHEMA_VERSION", SCHEMA);
        exported("EXPORT_SCHEMA_VERSION_MAJOR", version[0]);
        exported("EXPORT_SCHEMA_VERSION_MINOR", version[1]);
        exported("EXPORT_SCHEMA_VERSION_MICRO", version[2]);
        exported("EXPORT_PARAM_EXPORT_TYPE", "SQLite");
        add(TraceTable.CAPTURE_FACTS, "CAPTURE_EVENT_TYPE", "NvtxEvents");
        add(TraceTable.CAPTURE_FACTS, "CAPTURE_EVENT_TYPE", "Cuda");
        add(TraceTable.CAPTURE_FACTS, "CUDA_GRAPH_TRACE_OPTIONS:MODE", "Node");
        add(TraceTable.CAPTURE_FACTS, "PROCESS_0:COMMAND", process.name());
        for (int i = 0; i < process.arguments().size(); i++) {
            add(
                    TraceTable.CAPTURE_FACTS,
                    "PROCESS_0:ARGUMENT_" + i,
                    process.arguments().get(i));
        }
        captured.forEach(fact -> add(TraceTable.CAPTURE_FACTS, fact));
    }

    private void exported(String name, String value) {
        add(TraceTable.EXPORT_FACTS, name, value);
    }

    private void eventTypes() {
        eventType(33, "NvtxCategory");
        eventType(34, "NvtxMark");
        eventType(39, "NvtxThread");
        eventType(RangeRows.PUSH_POP_RANGE, "NvtxPushPopRange");
        eventType(60, "NvtxStartEndRange");
        eventType(75, "NvtxDomainCreate");
        eventType(76, "NvtxDomainDestroy");
        eventType(79, "CudaDeviceKernel");
        eventType(80, "CudaDeviceMemory");
        eventType(106, "CudaSyncEvent");
        eventType(113, "CudaGraphNodeCreation");
        eventType(127, "CudaEventRecord");
        eventType(130, "CudaDeviceGraph");
        eventType(131, "CudaGraphExecCreation");
        eventType(132, "CudaGraphCreation");
        eventType(133, "CudaGraphClone");
    }

    private void eventType(int id, String name) {
        add(TraceTable.EVENT_TYPES, id, name, name);
    }

    private void eventClass(int id, String name, String label) {
        add(TraceTable.EVENT_CLASSES, id, name, label);
    }

    private void enumeration(TraceTable table, String prefix, String[] names) {
        for (int id = 0; id < names.length; id++) {
            add(table, id, prefix + names[id], names[id]);
        }
    }

    private void add(TraceTable table, Object... row) {
        tables.computeIfAbsent(table, empty -> new ArrayList<>()).add(Arrays.copyOf(row, row.length));
    }
}
