package layerwise.report.synthetic;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Tables of Nsight Systems exports as each version declares them, of those that a report reads. */
record SyntheticSchema(int major, int minor, int micro, String product) {
    static SyntheticSchema of(String version) {
        int[] parts =
                Arrays.stream(version.split("\\.")).mapToInt(Integer::parseInt).toArray();
        String product = switch (version) {
            case "3.1.7" -> "2023.2.3.0";
            case "3.4.0" -> "2023.3.3.42";
            case "3.13.2" -> "2024.5.1.113";
            case "3.17.2" -> "2025.1.3.140";
            case "3.24.0" -> "2025.5.2.266";
            case "3.24.8" -> "2025.6.3.343";
            case "3.25.0" -> "2026.2.1.210";
            default -> throw new IllegalArgumentException(version);
        };
        return new SyntheticSchema(parts[0], parts[1], parts[2], product);
    }

    private boolean from(int wantedMinor, int wantedMicro) {
        return minor > wantedMinor || (minor == wantedMinor && micro >= wantedMicro);
    }

    String version() {
        return major + "." + minor + "." + micro;
    }

    /** Up to 3.4.0 node events are in the table that later holds events of whole graphs. */
    String nodeTable() {
        return from(6, 0) ? "CUDA_GRAPH_NODE_EVENTS" : "CUDA_GRAPH_EVENTS";
    }

    String exportTable() {
        return from(4, 0) ? "META_DATA_EXPORT" : "EXPORT_META_DATA";
    }

    boolean hasGraphTable() {
        return from(6, 0);
    }

    List<String> nvtx() {
        List<String> columns = split("""
                start INTEGER NOT NULL, end INTEGER, eventType INTEGER NOT NULL, rangeId INTEGER, category INTEGER,
                color INTEGER, text TEXT, globalTid INTEGER, endGlobalTid INTEGER, textId INTEGER, domainId INTEGER,
                uint64Value INTEGER, int64Value INTEGER, doubleValue REAL, uint32Value INTEGER, int32Value INTEGER,
                floatValue REAL, jsonTextId INTEGER, jsonText TEXT""");
        if (from(25, 0)) {
            columns.add("binaryData TEXT");
        }
        return columns;
    }

    List<String> runtime() {
        return split("""
                start INTEGER NOT NULL, end INTEGER NOT NULL, eventClass INTEGER NOT NULL, globalTid INTEGER,
                correlationId INTEGER, nameId INTEGER NOT NULL, returnValue INTEGER NOT NULL, callchainId INTEGER""");
    }

    List<String> kernel() {
        List<String> columns = activity();
        columns.addAll(split("""
                demangledName INTEGER NOT NULL, shortName INTEGER NOT NULL, mangledName INTEGER, launchType INTEGER,
                registersPerThread INTEGER NOT NULL, gridX INTEGER NOT NULL, gridY INTEGER NOT NULL,
                gridZ INTEGER NOT NULL, blockX INTEGER NOT NULL, graphNodeId INTEGER"""));
        if (from(23, 0)) {
            columns.addAll(split("qmdBulkReleaseDone INTEGER, graphId INTEGER, clusterX INTEGER"));
        }
        if (from(24, 8)) {
            columns.add("sharedMemoryRequestedPercentage INTEGER");
        }
        if (from(24, 18)) {
            columns.add("tensorSizeMinusOneElements TEXT NOT NULL DEFAULT '[]'");
        }
        return columns;
    }

    List<String> memcpy() {
        List<String> columns = activity();
        columns.addAll(split("bytes INTEGER NOT NULL, copyKind INTEGER NOT NULL, graphNodeId INTEGER"));
        if (from(17, 0)) {
            columns.add("copyCount INTEGER");
        }
        return columns;
    }

    List<String> memset() {
        List<String> columns = activity();
        columns.addAll(split("value INTEGER NOT NULL, bytes INTEGER NOT NULL, graphNodeId INTEGER, memKind INTEGER"));
        return columns;
    }

    List<String> graphNodes() {
        return split("""
                start INTEGER NOT NULL, end INTEGER NOT NULL, eventClass INTEGER NOT NULL, globalTid INTEGER,
                nameId INTEGER NOT NULL, graphNodeId INTEGER NOT NULL, originalGraphNodeId INTEGER""");
    }

    private List<String> activity() {
        List<String> columns = split("""
                start INTEGER NOT NULL, end INTEGER NOT NULL, deviceId INTEGER NOT NULL, contextId INTEGER NOT NULL""");
        if (from(11, 0)) {
            columns.add("greenContextId INTEGER");
        }
        columns.addAll(split("streamId INTEGER NOT NULL, correlationId INTEGER, globalPid INTEGER"));
        return columns;
    }

    private static List<String> split(String declarations) {
        return new ArrayList<>(List.of(declarations.replaceAll("\\s+", " ").split(", ")));
    }
}
