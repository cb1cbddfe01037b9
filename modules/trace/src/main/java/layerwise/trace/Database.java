package layerwise.trace;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/** Read-only access to an SQLite file: probes its tables and columns, and turns every failure into one line. */
final class Database {
    private static final byte[] MAGIC = "SQLite format 3\0".getBytes(StandardCharsets.US_ASCII);
    private static final int BUSY = 5;
    private static final int LOCKED = 6;

    private final Path file;
    private final Set<String> tables = new LinkedHashSet<>();
    private final Map<String, List<String>> columns = new ConcurrentHashMap<>();

    Database(Path file) {
        this.file = file;
        checkHeader();
        scan("SELECT name FROM sqlite_master WHERE type='table'", row -> tables.add(text(row, 1)));
    }

    /** What reads one row. */
    interface RowReader {
        void read(ResultSet row) throws SQLException;
    }

    Path file() {
        return file;
    }

    boolean has(String table) {
        return tables.contains(table);
    }

    /** Columns of a table in order; empty if there is no such table. */
    List<String> columns(String table) {
        return has(table) ? columns.computeIfAbsent(table, this::probe) : List.of();
    }

    private List<String> probe(String table) {
        List<String> names = new ArrayList<>();
        scan("SELECT name FROM pragma_table_info('" + table + "')", row -> names.add(text(row, 1)));
        return names;
    }

    /** Runs a query and hands every row to the reader. */
    void scan(String sql, RowReader reader) {
        try (Connection connection = connect();
                PreparedStatement statement = connection.prepareStatement(sql);
                ResultSet rows = statement.executeQuery()) {
            while (rows.next()) {
                reader.read(rows);
            }
        } catch (SQLException e) {
            throw failure(e);
        }
    }

    /** Number of rows of a table if its row ids are 1, 2, 3 … and so can be split into intervals; -1 otherwise. */
    int denseRows(String table) {
        // Asked for one at a time, SQLite finds each at an end of the table; together they cost a scan of it.
        long first = integer("SELECT ifnull(min(rowid),1) FROM " + table);
        long last = integer("SELECT ifnull(max(rowid),0) FROM " + table);
        long possible = sizeBytes() / 4; // no row is shorter; a damaged file may claim more
        return first == 1 && last <= Math.min(possible, Integer.MAX_VALUE - 8) ? (int) last : -1;
    }

    private long integer(String query) {
        long[] value = {0};
        scan(query, row -> value[0] = row.getLong(1));
        return value[0];
    }

    /** Number of rows, counted. */
    int countRows(String table) {
        return Math.toIntExact(integer("SELECT count(*) FROM " + table));
    }

    long sizeBytes() {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new TraceException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /** A text that may hold anything: undecodable bytes become replacement characters, NULL the empty string. */
    static String text(ResultSet row, int column) throws SQLException {
        byte[] bytes = row.getBytes(column);
        return bytes == null ? "" : new String(bytes, StandardCharsets.UTF_8);
    }

    TraceException failure(SQLException e) {
        int code = e.getErrorCode() & 0xFF;
        if (code == BUSY || code == LOCKED) {
            return new TraceException(file + ": is locked by another program; wait until it is written, or copy it", e);
        }
        return new TraceException(
                file + ": is not a readable trace (" + e.getMessage() + "); export or record it again", e);
    }

    private Connection connect() throws SQLException {
        return DriverManager.getConnection(url(file, "ro"));
    }

    /** The driver's address of a file whose name may hold anything; modes are {@code ro} and {@code rwc}. */
    static String url(Path file, String mode) {
        return "jdbc:sqlite:file:" + file.toAbsolutePath().toUri().getRawPath() + "?mode=" + mode;
    }

    private void checkHeader() {
        byte[] head = new byte[MAGIC.length];
        if (!Files.isRegularFile(file)) {
            throw new TraceException(file + ": no such file");
        }
        try (InputStream in = Files.newInputStream(file)) {
            int read = in.readNBytes(head, 0, head.length);
            if (read == 0) {
                throw new TraceException(file + ": is empty; export or record it again");
            }
            if (!Arrays.equals(head, MAGIC)) {
                throw new TraceException(file + ": is not an SQLite file; expected an export of Nsight Systems or a"
                        + " trace of this program");
            }
        } catch (IOException e) {
            throw new TraceException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /** The distinct values of a two-column table of facts, the last one of each name. */
    Map<String, String> facts(String table) {
        Map<String, String> facts = new TreeMap<>();
        if (columns(table).containsAll(List.of("name", "value"))) {
            scan("SELECT name, value FROM " + table, row -> facts.put(text(row, 1), text(row, 2)));
        }
        return facts;
    }
}
