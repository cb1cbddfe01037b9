package layerwise.report;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import layerwise.report.synthetic.SyntheticOptions;
import layerwise.report.synthetic.SyntheticTrace;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged traces end with status 0 or 2, never with a stack trace. The seed is fixed and stands in every message. */
class ReportFuzzTest {
    private static final long SEED = 20260101;
    private static final List<String> TABLES = List.of(
            "NVTX_EVENTS",
            "CUPTI_ACTIVITY_KIND_RUNTIME",
            "CUPTI_ACTIVITY_KIND_KERNEL",
            "CUPTI_ACTIVITY_KIND_MEMCPY",
            "CUDA_GRAPH_NODE_EVENTS",
            "StringIds",
            "META_DATA_EXPORT",
            "ENUM_NSYS_EVENT_TYPE");
    private static final List<String> COLUMNS = List.of(
            "start",
            "end",
            "correlationId",
            "graphNodeId",
            "demangledName",
            "textId",
            "text",
            "eventType",
            "domainId",
            "globalTid",
            "globalPid",
            "originalGraphNodeId",
            "value",
            "id",
            "name",
            "streamId");
    private static final List<String> VALUES =
            List.of("-1", "0", "9223372036854775807", "-9223372036854775808", "'text'", "x'ff00fe'", "1e300", "rowid");

    @TempDir
    Path folder;

    private final Random random = new Random(SEED);

    @Test
    void survivesDamagedBytes() throws IOException, SQLException {
        byte[] whole = trace();
        for (int round = 0; round < 120; round++) {
            byte[] damaged = whole.clone();
            for (int k = 1 + random.nextInt(30); k > 0; k--) {
                damaged[16 + random.nextInt(damaged.length - 16)] = (byte) random.nextInt();
            }
            if (random.nextInt(4) == 0) {
                damaged = Arrays.copyOf(damaged, 1 + random.nextInt(damaged.length));
            }
            Path file = folder.resolve("bytes.sqlite");
            Files.write(file, damaged);
            assertSurvives(file, "bytes, round " + round);
        }
    }

    @Test
    void survivesDamagedTables() throws IOException, SQLException {
        byte[] whole = trace();
        Path file = folder.resolve("tables.sqlite");
        for (int round = 0; round < 120; round++) {
            Files.write(file, whole);
            StringBuilder changes = new StringBuilder();
            try (Connection database = DriverManager.getConnection("jdbc:sqlite:" + file);
                    Statement statement = database.createStatement()) {
                for (int k = 1 + random.nextInt(3); k > 0; k--) {
                    String change = change();
                    changes.append(change).append("; ");
                    try {
                        statement.execute(change);
                    } catch (SQLException e) {
                        changes.append("(no such column) ");
                    }
                }
            }
            assertSurvives(file, changes.toString());
        }
    }

    private String change() {
        String table = TABLES.get(random.nextInt(TABLES.size()));
        String column = COLUMNS.get(random.nextInt(COLUMNS.size()));
        return switch (random.nextInt(5)) {
            case 0 -> "DROP TABLE " + table;
            case 1 -> "ALTER TABLE " + table + " RENAME COLUMN " + column + " TO other";
            case 2 -> "DELETE FROM " + table + " WHERE rowid % " + (2 + random.nextInt(9)) + " = 1";
            default ->
                "UPDATE " + table + " SET " + column + " = " + VALUES.get(random.nextInt(VALUES.size()))
                        + " WHERE rowid % " + (1 + random.nextInt(20)) + " = 0";
        };
    }

    private void assertSurvives(Path file, String what) {
        for (String[] arguments : new String[][] {
            {"report", "--file-path", file.toString()}, {"report", "--lenient", "--file-path", file.toString()}
        }) {
            ProgramRun run = ProgramRun.of(arguments);
            String message = "seed " + SEED + ", " + what + ": " + run.err();
            assertTrue(run.status() == 0 || run.status() == 2, message);
            assertFalse(run.err().contains("\tat "), message);
        }
    }

    private byte[] trace() throws IOException, SQLException {
        Path file = folder.resolve("whole.sqlite");
        SyntheticTrace.write(SyntheticOptions.presets().get("graph"), file);
        return Files.readAllBytes(file);
    }
}
