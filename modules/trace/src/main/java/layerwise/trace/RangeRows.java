package layerwise.trace;

import java.util.Iterator;
import java.util.function.ToIntFunction;

/** Turns the threads' range logs into NVTX rows of domain 0. */
final class RangeRows {
    static final int PUSH_POP_RANGE = 59;

    private final TraceProcess process;

    RangeRows(TraceProcess process) {
        this.process = process;
    }

    /**
     * All ranges; one that is still open has no end. Texts are written as registered strings, because the reference's
     * parser reads no others.
     */
    Rows merge(Iterable<RangeLog> logs, ToIntFunction<String> strings) {
        TraceTable table = TraceTable.NVTX;
        Rows rows = new Rows(table);
        int eventType = table.column("eventType");
        int globalTid = table.column("globalTid");
        int textId = table.column("textId");
        int domainId = table.column("domainId");
        for (Iterator<RangeLog> each = logs.iterator(); each.hasNext(); ) {
            RangeLog log = each.next();
            long thread = process.globalTid(log.threadId());
            for (int i = 0; i < log.size(); i++) {
                rows.add();
                rows.put(0, log.start(i));
                rows.put(1, log.end(i) == RangeLog.OPEN ? Rows.NULL : log.end(i));
                rows.put(eventType, PUSH_POP_RANGE);
                rows.put(globalTid, thread);
                rows.put(textId, strings.applyAsInt(log.text(i)));
                rows.put(domainId, 0);
            }
        }
        return rows;
    }
}
