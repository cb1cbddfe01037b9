package layerwise.trace;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads call chains. */
final class CallChainScan {
    private static final String CHAINS = "CUDA_CALLCHAINS";
    private static final String CALLS = "CUPTI_ACTIVITY_KIND_RUNTIME";

    private final Database database;

    CallChainScan(Database database) {
        this.database = database;
    }

    CallChains read() {
        boolean recorded = database.columns(CHAINS).containsAll(List.of("id", "symbol", "stackDepth"))
                && database.columns(CALLS).containsAll(List.of("start", "end", "globalTid", "callchainId"))
                && database.has("StringIds");
        if (!recorded) {
            return new CallChains(Map.of(), new long[4][0], 0);
        }
        Map<Integer, List<String>> frames = new HashMap<>();
        database.scan(
                "SELECT c.id, s.value FROM " + CHAINS
                        + " c JOIN StringIds s ON s.id=c.symbol ORDER BY c.id, c.stackDepth",
                row -> frames.computeIfAbsent(row.getInt(1), chain -> new ArrayList<>())
                        .add(Database.text(row, 2)));
        LongColumns calls = new LongColumns(database, CALLS, "start", "end", "globalTid", "callchainId");
        return new CallChains(frames, calls.arrays(), calls.size());
    }
}
