package layerwise.report.synthetic;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Collects rows by column name and writes them as an export; tables without rows are not made. */
final class SyntheticFile {
    static final long PROCESS = (1L << 48) | (4242L << 24);
    static final long THREAD = PROCESS | 4242;

    private final Map<String, List<String>> tables = new LinkedHashMap<>();
    private final Map<String, List<Map<String, Object>>> rows = new LinkedHashMap<>();
    private final Map<String, Integer> strings = new LinkedHashMap<>(Map.of("", 0));
    private final SyntheticSchema schema;

    SyntheticFile(SyntheticSchema schema) {
        this.schema = schema;
        tables.put("NVTX_EVENTS", schema.nvtx());
        tables.put("CUPTI_ACTIVITY_KIND_RUNTIME", schema.runtime());
        tables.put("CUPTI_ACTIVITY_KIND_KERNEL", schema.kernel());
        tables.put("CUPTI_ACTIVITY_KIND_MEMCPY", schema.memcpy());
        tables.put("CUPTI_ACTIVITY_KIND_MEMSET", schema.memset());
        tables.put(schema.nodeTable(), schema.graphNodes());
        tables.put(
                "CUPTI_ACTIVITY_KIND_GRAPH_TRACE",
                List.of("start INTEGER NOT NULL", "end INTEGER NOT NULL", "correlationId INTEGER"));
        tables.put("ENUM_NSYS_EVENT_TYPE", List.of("id INTEGER NOT NULL PRIMARY KEY", "name TEXT", "label TEXT"));
        tables.put(schema.exportTable(), List.of("name TEXT NOT NULL", "value TEXT"));
        if (schema.hasGraphTable()) {
            tables.put("CUDA_GRAPH_EVENTS", List.of("start INTEGER NOT NULL", "graphId INTEGER"));
        }
        add("ENUM_NSYS_EVENT_TYPE", Map.of("id", 59, "name", "NvtxPushPopRange"));
        add("ENUM_NSYS_EVENT_TYPE", Map.of("id", 75, "name", "NvtxDomainCreate"));
        add(schema.exportTable(), Map.of("name", "EXPORT_PRODUCT_VERSION", "value", schema.product()));
        add(schema.exportTable(), Map.of("name", "EXPORT_SCHEMA_VERSION", "value", schema.version()));
    }

    SyntheticSchema schema() {
        return schema;
    }

    int string(String value) {
        return strings.computeIfAbsent(value, added -> strings.size());
    }

    void add(String table, Map<String, Object> row) {
        rows.computeIfAbsent(table, made -> new ArrayList<>()).add(row);
    }

    /** Writes all rows, by start where they have one, or in random order. */
    void write(Path file, Random shuffle) throws SQLException {
        try (Connection database = DriverManager.getConnection("jdbc:sqlite:" + file);
                Statement statement = database.createStatement()) {
            database.setAutoCommit(false);
            for (Map.Entry<String, List<Map<String, Object>>> table : rows.entrySet()) {
                List<Map<String, Object>> content = table.getValue();
                content.sort((a, b) -> Long.compare(start(a), start(b)));
                if (shuffle != null && !table.getKey().equals("NVTX_EVENTS")) {
                    Collections.shuffle(content, shuffle);
                }
                List<String> columns = tables.get(table.getKey());
                statement.execute("CREATE TABLE " + table.getKey() + " (" + String.join(", ", columns) + ")");
                insert(database, table.getKey(), columns, content);
            }
            statement.execute("CREATE TABLE StringIds (id INTEGER NOT NULL PRIMARY KEY, value TEXT NOT NULL)");
            List<Map<String, Object>> texts = new ArrayList<>();
            strings.forEach((value, id) -> texts.add(Map.of("id", id, "value", value)));
            insert(database, "StringIds", List.of("id INTEGER", "value TEXT"), texts);
            database.commit();
        }
    }

    private static long start(Map<String, Object> row) {
        return row.get("start") instanceof Long start ? start : 0;
    }

    private static void insert(
            Connection database, String table, List<String> declarations, List<Map<String, Object>> rows)
            throws SQLException {
        List<String> columns =
                declarations.stream().map(d -> d.substring(0, d.indexOf(' '))).toList();
        String sql = "INSERT INTO " + table + " VALUES (" + "?,".repeat(columns.size() - 1) + "?)";
        try (PreparedStatement insert = database.prepareStatement(sql)) {
            for (Map<String, Object> row : rows) {
                for (int c = 0; c < columns.size(); c++) {
                    boolean required = declarations.get(c).contains("NOT NULL");
                    insert.setObject(c + 1, row.getOrDefault(columns.get(c), required ? 0 : null));
                }
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }
}
