package layerwise.trace;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/** Reads push/pop ranges, resolves their texts and finds NCCL's domain. */
final class RangeScan {
    private static final String TABLE = "NVTX_EVENTS";
    private static final int DEFAULT_DOMAIN_CREATE = 75;

    private final Database database;
    private final Set<Long> ncclDomains = new HashSet<>();
    private boolean domainsNamed;

    RangeScan(Database database) {
        this.database = database;
    }

    private record Row(long start, long end, String text, long thread, long domain) {}

    NvtxRanges read() {
        readDomains();
        Map<Integer, String> registered = registeredTexts();
        List<Row> rows = new ArrayList<>();
        database.scan(
                "SELECT start,end," + optional("globalTid") + "," + optional("domainId") + ","
                        + optional("textId", "NULL") + "," + optional("text", "NULL") + " FROM " + TABLE
                        + " WHERE end IS NOT NULL AND eventType="
                        + eventType("NvtxPushPopRange", RangeRows.PUSH_POP_RANGE),
                row -> {
                    int textId = row.getInt(5);
                    String text = row.wasNull() ? Database.text(row, 6) : registered.getOrDefault(textId, "");
                    if (!text.isEmpty()) {
                        rows.add(new Row(row.getLong(1), row.getLong(2), text, row.getLong(3), row.getLong(4)));
                    }
                });
        rows.sort(
                (a, b) -> a.start() != b.start() ? Long.compare(a.start(), b.start()) : Long.compare(b.end(), a.end()));
        NvtxRanges ranges = new NvtxRanges(rows.size());
        IntStream.range(0, rows.size()).forEach(i -> {
            Row row = rows.get(i);
            ranges.set(i, row.start(), row.end(), ranges.number(row.text()), row.thread(), isNccl(row));
        });
        return ranges;
    }

    /** A trace may have been cut after NCCL made its domain: then its texts give it away. */
    private boolean isNccl(Row row) {
        return ncclDomains.contains(domainKey(row.thread(), row.domain()))
                || (!domainsNamed
                        && row.domain() != 0
                        && row.text().toLowerCase(Locale.ROOT).startsWith("nccl"));
    }

    private void readDomains() {
        if (!database.columns(TABLE).containsAll(List.of("text", "domainId"))) {
            return;
        }
        database.scan(
                "SELECT text,domainId," + optional("globalTid") + " FROM " + TABLE + " WHERE eventType="
                        + eventType("NvtxDomainCreate", DEFAULT_DOMAIN_CREATE),
                row -> {
                    domainsNamed = true;
                    if (Database.text(row, 1).equals("NCCL")) {
                        ncclDomains.add(domainKey(row.getLong(3), row.getLong(2)));
                    }
                });
    }

    private static long domainKey(long thread, long domain) {
        return ((long) Processes.key(thread) << 32) | domain;
    }

    private Map<Integer, String> registeredTexts() {
        Map<Integer, String> texts = new HashMap<>();
        if (database.columns(TABLE).contains("textId")
                && database.columns("StringIds").contains("value")) {
            database.scan(
                    "SELECT id,value FROM StringIds WHERE id IN (SELECT DISTINCT textId FROM " + TABLE + ")",
                    row -> texts.put(row.getInt(1), Database.text(row, 2)));
        }
        return texts;
    }

    private String optional(String column) {
        return optional(column, "0");
    }

    private String optional(String column, String otherwise) {
        return database.columns(TABLE).contains(column) ? column : otherwise;
    }

    private int eventType(String name, int otherwise) {
        int[] id = {otherwise};
        if (database.columns("ENUM_NSYS_EVENT_TYPE").containsAll(List.of("id", "name"))) {
            database.scan(
                    "SELECT id FROM ENUM_NSYS_EVENT_TYPE WHERE name='" + name + "'", row -> id[0] = row.getInt(1));
        }
        return id[0];
    }
}
