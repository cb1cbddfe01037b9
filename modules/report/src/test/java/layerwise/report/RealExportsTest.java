package layerwise.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import layerwise.report.profile.KernelListing;
import layerwise.report.profile.Operation;
import layerwise.report.profile.ProblemProfile;
import layerwise.report.profile.Profile;
import layerwise.report.profile.ProfileOptions;
import layerwise.report.profile.Profiler;
import layerwise.report.profile.ShortNames;
import layerwise.report.table.PathRow;
import layerwise.report.table.PathTable;
import layerwise.trace.TraceFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Real exports against sums that SQL alone computes. */
class RealExportsTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"h100-nsys2022.4-eager", "h100-nsys2022.4-graph"})
    void agreesWithSqlOnLayerwiseRuns(String name) throws IOException, SQLException {
        Path file = Exports.unpack(name, folder);
        Profile profile = new Profiler(TraceFile.open(file), ProfileOptions.DEFAULT, new ShortNames()).evaluate();
        assertEquals(4, profile.warmup());
        Map<String, String> found = new TreeMap<>();
        Map<String, String> totals = new TreeMap<>();
        for (ProblemProfile problem : profile.problems()) {
            assertEquals(16, problem.runs());
            Map<String, long[]> sums = new TreeMap<>();
            for (Operation operation : problem.operations()) {
                String key = problem.title() + "|" + String.join("/", operation.path()) + "|" + operation.fullName();
                long[] sum = sums.computeIfAbsent(key, added -> new long[2]);
                for (long nanos : operation.durations().toArray()) {
                    sum[0]++;
                    sum[1] += nanos;
                }
            }
            sums.forEach((key, sum) -> found.put(key, sum[0] + " " + sum[1]));
            totals.put(
                    problem.title(), String.valueOf(sum(problem.totals().total().toArray())));
        }
        assertEquals(query(file, layerwise(file) + """
                SELECT title || '|' || path || '|' || name, count(*) || ' ' || sum(e - s) FROM placed
                GROUP BY title, path, name"""), found);
        assertEquals(query(file, layerwise(file) + """
                SELECT title, sum(span) FROM (SELECT title, run, max(e) - min(s) AS span FROM placed GROUP BY title, run)
                GROUP BY title"""), totals);
    }

    private static String layerwise(Path file) throws SQLException {
        boolean graphs = query(file, "SELECT name, name FROM sqlite_master").containsKey("CUDA_GRAPH_EVENTS");
        return LAYERWISE.replace(
                "NODES",
                graphs
                        ? "SELECT * FROM CUDA_GRAPH_EVENTS"
                        : "SELECT NULL AS start, NULL AS end, NULL AS graphNodeId, NULL AS originalGraphNodeId WHERE 0");
    }

    /** Kernels and memory sets of the measured runs, each with title, run, module path and name. */
    private static final String LAYERWISE = """
            WITH nvtx AS (SELECT n.start, n.end, coalesce(n.text, i.value) AS text
                          FROM NVTX_EVENTS n LEFT JOIN StringIds i ON i.id = n.textId WHERE n.eventType = 59
                            AND n.domainId NOT IN (SELECT domainId FROM NVTX_EVENTS WHERE eventType = 75 AND text = 'NCCL')),
            runs AS (SELECT text AS title, start, end, row_number() OVER (PARTITION BY text ORDER BY start) AS run
                     FROM nvtx WHERE text GLOB 'b=* s=* *'),
            gpu AS (SELECT start AS s, end AS e, correlationId AS c, graphNodeId AS g,
                           (SELECT value FROM StringIds WHERE id = demangledName) AS name
                    FROM CUPTI_ACTIVITY_KIND_KERNEL
                    UNION ALL
                    SELECT start, end, correlationId, graphNodeId, 'Memset' FROM CUPTI_ACTIVITY_KIND_MEMSET),
            nodes AS (NODES),
            captured AS (SELECT gpu.*, api.start AS launch,
                                CASE WHEN g IS NULL THEN api.start ELSE created.start END AS c1,
                                CASE WHEN g IS NULL THEN api.end ELSE created.end END AS c2
                         FROM gpu JOIN CUPTI_ACTIVITY_KIND_RUNTIME api ON api.correlationId = gpu.c
                         LEFT JOIN nodes clone
                                ON clone.graphNodeId = g AND clone.originalGraphNodeId IS NOT NULL
                         LEFT JOIN nodes created
                                ON created.graphNodeId = clone.originalGraphNodeId
                               AND created.originalGraphNodeId IS NULL),
            pathed AS (SELECT title, run, name, s, e,
                              ifnull((SELECT group_concat(text, '/') FROM
                                          (SELECT text FROM nvtx WHERE nvtx.start <= c1 AND nvtx.end >= c2
                                            AND (text NOT GLOB 'layer_wise_benchmarks *'
                                                 OR text = 'layer_wise_benchmarks ignore')
                                            AND text NOT GLOB 'b=* s=* *' AND text NOT GLOB '[[]DG]*'
                                           ORDER BY nvtx.start, nvtx.end DESC)), '') AS path
                       FROM captured JOIN runs ON launch >= runs.start AND launch < runs.end WHERE run > 4),
            placed AS (SELECT * FROM pathed WHERE path NOT GLOB '*layer_wise_benchmarks ignore*')
            """;

    @ParameterizedTest
    @CsvSource({
        "nsysai_h100x2_1s, has no layer-wise markers",
        "cs336_forward_nvtx, has no layer-wise markers",
        "centerformer_nvtx_registered, has no layer-wise markers",
        "centerformer_tensorrt_domains, has no layer-wise markers",
        "'balinski_kernels', 'table NVTX_EVENTS is missing (written by NVIDIA Nsight Systems 2025.5.1.121, schema 3.23.3)'",
        "'trixi_driver_api', 'table NVTX_EVENTS is missing (written by NVIDIA Nsight Systems 2023.1.2.43, schema 3.1.2)'",
        "testcuda_small, table NVTX_EVENTS is missing",
        "gemm_no_kernels, table NVTX_EVENTS is missing",
        "awsgpu_memcpy, table NVTX_EVENTS is missing",
        "transformer_small, table NVTX_EVENTS is missing"
    })
    void refusesForeignExportsInOneLineAndListsThemLeniently(String name, String message)
            throws IOException, SQLException {
        Path file = Exports.unpack(name, folder);
        ProgramRun refused = ProgramRun.of("report", "--file-path", file.toString());
        assertEquals(2, refused.status());
        assertEquals(1, refused.err().lines().count(), refused.err());
        assertTrue(refused.err().contains(message), refused.err());
        assertFalse(Files.exists(folder.resolve(name + ".csv")));

        ProgramRun lenient = ProgramRun.of("report", "--lenient", "--file-path", file.toString());
        assertEquals(0, lenient.status(), lenient.err());
        assertTrue(Files.exists(folder.resolve(name + ".csv")));
        Map<String, String> json = new TreeMap<>();
        Map<String, String> found = new TreeMap<>();
        Map<String, long[]> byName = new TreeMap<>();
        for (PathRow row : PathTable.of(new KernelListing(TraceFile.open(file), new ShortNames()).read())) {
            long[] sum = byName.computeIfAbsent(row.fullName(), added -> new long[2]);
            sum[0] += row.count();
            sum[1] += row.total();
        }
        byName.forEach((kernel, sum) -> found.put(kernel, sum[0] + " " + sum[1]));
        assertEquals(totalsByName(file), found);
        byName.clear();
        for (JsonNode row : JsonMapper.builder()
                .build()
                .readTree(Files.readString(folder.resolve(name + ".json")))
                .get("rows")) {
            long[] sum = byName.computeIfAbsent(row.get("name").asText(), added -> new long[2]);
            sum[0] += row.get("count").asLong();
            sum[1] += row.get("total").asLong();
        }
        byName.forEach((kernel, sum) -> json.put(kernel, sum[0] + " " + sum[1]));
        assertEquals(found, json);
        long htmlRows = Pattern.compile("<tr>")
                .matcher(Files.readString(folder.resolve(name + ".html")))
                .results()
                .count();
        assertEquals(Files.readAllLines(folder.resolve(name + ".csv")).size(), htmlRows);
    }

    @Test
    void placesKernelsInTheRangesOfTheirOwnThread() throws IOException, SQLException {
        Path file = Exports.unpack("cs336_forward_nvtx", folder);
        Map<String, String> found = new TreeMap<>();
        for (PathRow row : PathTable.of(new KernelListing(TraceFile.open(file), new ShortNames()).read())) {
            if (!row.fullName().startsWith("Mem")) {
                found.put(String.join("/", row.path()) + "|" + row.fullName(), row.count() + " " + row.total());
            }
        }
        assertEquals(query(file, """
                WITH nvtx AS (SELECT start, end, globalTid, coalesce(text, (SELECT value FROM StringIds WHERE id = textId))
                                     AS text FROM NVTX_EVENTS WHERE eventType = 59),
                placed AS (SELECT k.start AS s, k.end AS e,
                                  (SELECT value FROM StringIds WHERE id = demangledName) AS name,
                                  ifnull((SELECT group_concat(text, '/') FROM
                                              (SELECT text FROM nvtx WHERE nvtx.globalTid = api.globalTid
                                                AND nvtx.start <= api.start AND nvtx.end >= api.end
                                               ORDER BY nvtx.start, nvtx.end DESC)), '') AS path
                           FROM CUPTI_ACTIVITY_KIND_KERNEL k
                           LEFT JOIN CUPTI_ACTIVITY_KIND_RUNTIME api ON api.correlationId = k.correlationId)
                SELECT path || '|' || name, count(*) || ' ' || sum(e - s) FROM placed GROUP BY path, name"""), found);
    }

    private static Map<String, String> totalsByName(Path file) throws SQLException {
        Map<String, String> tables = query(file, "SELECT name, name FROM sqlite_master WHERE type = 'table'");
        List<String> parts = new ArrayList<>();
        if (tables.containsKey("CUPTI_ACTIVITY_KIND_KERNEL")) {
            parts.add("SELECT (SELECT value FROM StringIds WHERE id = demangledName) AS name, end - start AS nanos"
                    + " FROM CUPTI_ACTIVITY_KIND_KERNEL");
            if (tables.containsKey("CUPTI_ACTIVITY_KIND_MEMCPY")) {
                parts.add("SELECT 'Memcpy', end - start FROM CUPTI_ACTIVITY_KIND_MEMCPY");
            }
            if (tables.containsKey("CUPTI_ACTIVITY_KIND_MEMSET")) {
                parts.add("SELECT 'Memset', end - start FROM CUPTI_ACTIVITY_KIND_MEMSET");
            }
        }
        return parts.isEmpty()
                ? Map.of()
                : query(
                        file,
                        "SELECT name, count(*) || ' ' || sum(nanos) FROM (" + String.join(" UNION ALL ", parts)
                                + ") GROUP BY name");
    }

    private static Map<String, String> query(Path file, String sql) throws SQLException {
        Map<String, String> result = new TreeMap<>();
        try (Connection database = DriverManager.getConnection("jdbc:sqlite:" + file);
                Statement statement = database.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                result.put(rows.getString(1), rows.getString(2));
            }
        }
        return result;
    }

    private static long sum(long[] values) {
        return java.util.Arrays.stream(values).sum();
    }
}
