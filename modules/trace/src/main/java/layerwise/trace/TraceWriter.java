package layerwise.trace;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.List;
import java.util.Map;

/** Writes tables to an SQLite file: beside the target first, in one transaction, then renamed over it. */
final class TraceWriter {
    private static final int BATCH = 4096;

    private final Path target;

    TraceWriter(Path target) {
        this.target = target.toAbsolutePath();
    }

    void write(List<Rows> tables, Map<TraceTable, List<Object[]>> facts, List<String> strings) {
        Path unfinished = target.resolveSibling(
                target.getFileName() + "." + ProcessHandle.current().pid() + ".tmp");
        try {
            Files.deleteIfExists(unfinished);
            fill(unfinished, tables, facts, strings);
            Files.move(unfinished, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException | SQLException e) {
            remove(unfinished);
            throw new TraceException(target + ": cannot be written: " + e.getMessage(), e);
        }
    }

    private static void fill(Path file, List<Rows> tables, Map<TraceTable, List<Object[]>> facts, List<String> strings)
            throws SQLException {
        try (Connection database = DriverManager.getConnection(Database.url(file, "rwc"));
                Statement statement = database.createStatement()) {
            statement.execute("PRAGMA journal_mode=OFF");
            statement.execute("PRAGMA synchronous=OFF");
            database.setAutoCommit(false);
            for (Map.Entry<TraceTable, List<Object[]>> fact : facts.entrySet()) {
                statement.execute(fact.getKey().create());
                insertFacts(database, fact.getKey(), fact.getValue());
            }
            for (Rows rows : tables) {
                if (rows.size() > 0) {
                    statement.execute(rows.table().create());
                    insert(database, rows);
                }
            }
            statement.execute(TraceTable.STRINGS.create());
            insertStrings(database, strings);
            database.commit();
        }
    }

    private static void insert(Connection database, Rows rows) throws SQLException {
        int columns = rows.table().columns().size();
        try (PreparedStatement insert = database.prepareStatement(rows.table().insert())) {
            int pending = 0;
            for (int row : rows.byFirstColumn()) {
                for (int c = 0; c < columns; c++) {
                    long value = rows.at(c, row);
                    if (value == Rows.NULL) {
                        insert.setNull(c + 1, Types.INTEGER);
                    } else {
                        insert.setLong(c + 1, value);
                    }
                }
                insert.addBatch();
                if (++pending % BATCH == 0) {
                    insert.executeBatch();
                }
            }
            insert.executeBatch();
        }
    }

    private static void insertFacts(Connection database, TraceTable table, List<Object[]> rows) throws SQLException {
        try (PreparedStatement insert = database.prepareStatement(table.insert())) {
            for (Object[] row : rows) {
                for (int c = 0; c < row.length; c++) {
                    insert.setObject(c + 1, row[c]);
                }
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }

    private static void insertStrings(Connection database, List<String> strings) throws SQLException {
        try (PreparedStatement insert = database.prepareStatement(TraceTable.STRINGS.insert())) {
            for (int id = 0; id < strings.size(); id++) {
                insert.setInt(1, id);
                insert.setString(2, strings.get(id));
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }

    private static void remove(Path unfinished) {
        try {
            Files.deleteIfExists(unfinished);
        } catch (IOException e) {
            System.getLogger(TraceWriter.class.getName())
                    .log(System.Logger.Level.WARNING, "left over: " + unfinished, e);
        }
    }
}
