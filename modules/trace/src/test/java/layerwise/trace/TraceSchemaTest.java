package layerwise.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TraceSchemaTest {
    private static final Set<String> LAZY = Set.of(
            "NVTX_EVENTS",
            "CUPTI_ACTIVITY_KIND_RUNTIME",
            "CUPTI_ACTIVITY_KIND_KERNEL",
            "CUPTI_ACTIVITY_KIND_MEMCPY",
            "CUPTI_ACTIVITY_KIND_MEMSET",
            "CUDA_GRAPH_NODE_EVENTS",
            "CUDA_CALLCHAINS",
            "GPU_METRICS",
            "TARGET_INFO_GPU_METRICS",
            "TARGET_INFO_GPU",
            "TARGET_INFO_CUDA_DEVICE",
            "TARGET_INFO_CUDA_STREAM",
            "ThreadNames");

    @TempDir
    Path folder;

    @Test
    void writesEveryTableWithTheColumnsOfTheClaimedSchema() throws SQLException {
        TraceRecorder recorder = recorder();
        recordOneOfEach(recorder);
        Path file = folder.resolve("all.sqlite");
        recorder.write(file);
        try (Connection database = DriverManager.getConnection("jdbc:sqlite:" + file)) {
            for (TraceTable table : TraceTable.values()) {
                if (!table.sqlName().equals("ThreadNames")) {
                    assertEquals(table.columns(), columns(database, table.sqlName()), table.sqlName());
                }
            }
            assertEquals(39, TraceTable.KERNEL.columns().size());
            assertEquals("id,stackDepth", primaryKey(database, "CUDA_CALLCHAINS"));
            assertEquals("59", single(database, "SELECT id FROM ENUM_NSYS_EVENT_TYPE WHERE name='NvtxPushPopRange'"));
            assertEquals(
                    "3.24.8",
                    single(database, "SELECT value FROM META_DATA_EXPORT WHERE name='EXPORT_SCHEMA_VERSION'"));
            assertEquals(
                    "Node",
                    single(database, "SELECT value FROM META_DATA_CAPTURE WHERE name='CUDA_GRAPH_TRACE_OPTIONS:MODE'"));
            assertEquals(
                    String.valueOf((1L << 48) | (4242L << 24) | 1),
                    single(database, "SELECT globalTid FROM NVTX_EVENTS"));
            assertEquals("2", single(database, "SELECT launchType FROM CUPTI_ACTIVITY_KIND_KERNEL"));
            assertEquals("null", single(database, "SELECT graphNodeId FROM CUPTI_ACTIVITY_KIND_KERNEL"));
            assertEquals("33", single(database, "SELECT maxActiveClusters FROM CUPTI_ACTIVITY_KIND_KERNEL"));
        }
    }

    @Test
    void makesTablesOnlyWhereThereAreRows() throws SQLException {
        Path file = folder.resolve("none.sqlite");
        recorder().write(file);
        try (Connection database = DriverManager.getConnection("jdbc:sqlite:" + file)) {
            Set<String> tables = new TreeSet<>();
            try (Statement statement = database.createStatement();
                    ResultSet rows = statement.executeQuery("SELECT name FROM sqlite_master WHERE type='table'")) {
                while (rows.next()) {
                    tables.add(rows.getString(1));
                }
            }
            LAZY.forEach(table -> assertFalse(tables.contains(table), table));
        }
    }

    private static TraceRecorder recorder() {
        TraceProcess process = new TraceProcess(4242, "layerwise", List.of("run", "x.yaml"), "layerwise test");
        return TraceRecorder.start(process, () -> 1_760_000_000_000_000_000L);
    }

    private static void recordOneOfEach(TraceRecorder recorder) {
        recorder.nameThread(1);
        recorder.mark("module");
        KernelActivity kernel = new KernelActivity();
        kernel.launchType = 2;
        kernel.maxActiveClusters = 33;
        recorder.kernel(kernel);
        recorder.copy(new CopyActivity());
        recorder.fill(new FillActivity());
        recorder.captureNode(1, 0, 0);
        int chain = recorder.callChain(List.of(new StackTraceElement("Layer", "forward", null, 0)));
        recorder.call(true, recorder.string("cuLaunchKernel"), 1, 1, 0, 1, 0, chain);
        recorder.gpuMetricName(0, 5, "SM Active [Throughput %]");
        recorder.gpuMetric(10, 0, 5, 99);
        recorder.gpu(new GpuInfo(0, "H100", "GH100", "uuid", "0000:01:00.0", 132, 9, 0, 80L << 30, 1, 1, 1));
        recorder.stream(7, 1, 0, 3);
    }

    private static List<String> columns(Connection database, String table) throws SQLException {
        List<String> names = new ArrayList<>();
        try (Statement statement = database.createStatement();
                ResultSet rows = statement.executeQuery("SELECT name FROM pragma_table_info('" + table + "')")) {
            while (rows.next()) {
                names.add(rows.getString(1));
            }
        }
        return names;
    }

    private static String primaryKey(Connection database, String table) throws SQLException {
        return single(
                database,
                "SELECT group_concat(name) FROM (SELECT name FROM pragma_table_info('" + table
                        + "') WHERE pk > 0 ORDER BY pk)");
    }

    private static String single(Connection database, String query) throws SQLException {
        try (Statement statement = database.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            return rows.next() ? String.valueOf(rows.getString(1)) : "no row";
        }
    }
}
