package layerwise.trace;

import java.util.Arrays;
import java.util.List;

/**
 * The tables that the recorder writes, as Nsight Systems 2025.6 (export schema 3.24.8) declares them.
 *
 * <p>Column names and order follow the CREATE TABLE statements of that version's exports.
 */
enum TraceTable {
    STRINGS("StringIds", "id INTEGER NOT NULL PRIMARY KEY, value TEXT NOT NULL"),
    NVTX("NVTX_EVENTS", """
            start INTEGER NOT NULL, end INTEGER, eventType INTEGER NOT NULL, rangeId INTEGER, category INTEGER,
            color INTEGER, text TEXT, globalTid INTEGER, endGlobalTid INTEGER, textId INTEGER, domainId INTEGER,
            uint64Value INTEGER, int64Value INTEGER, doubleValue REAL, uint32Value INTEGER, int32Value INTEGER,
            floatValue REAL, jsonTextId INTEGER, jsonText TEXT"""),
    RUNTIME("CUPTI_ACTIVITY_KIND_RUNTIME", """
            start INTEGER NOT NULL, end INTEGER NOT NULL, eventClass INTEGER NOT NULL, globalTid INTEGER,
            correlationId INTEGER, nameId INTEGER NOT NULL, returnValue INTEGER NOT NULL, callchainId INTEGER"""),
    KERNEL("CUPTI_ACTIVITY_KIND_KERNEL", """
            start INTEGER NOT NULL, end INTEGER NOT NULL, deviceId INTEGER NOT NULL, contextId INTEGER NOT NULL,
            greenContextId INTEGER, streamId INTEGER NOT NULL, correlationId INTEGER, globalPid INTEGER,
            demangledName INTEGER NOT NULL, shortName INTEGER NOT NULL, mangledName INTEGER, launchType INTEGER,
            cacheConfig INTEGER, registersPerThread INTEGER NOT NULL, gridX INTEGER NOT NULL, gridY INTEGER NOT NULL,
            gridZ INTEGER NOT NULL, blockX INTEGER NOT NULL, blockY INTEGER NOT NULL, blockZ INTEGER NOT NULL,
            staticSharedMemory INTEGER NOT NULL, dynamicSharedMemory INTEGER NOT NULL,
            localMemoryPerThread INTEGER NOT NULL, localMemoryTotal INTEGER NOT NULL, gridId INTEGER NOT NULL,
            sharedMemoryExecuted INTEGER, graphNodeId INTEGER, sharedMemoryLimitConfig INTEGER,
            qmdBulkReleaseDone INTEGER, qmdPreexitDone INTEGER, qmdLastCtaDone INTEGER, graphId INTEGER,
            clusterX INTEGER, clusterY INTEGER, clusterZ INTEGER, clusterSchedulingPolicy INTEGER,
            maxPotentialClusterSize INTEGER, maxActiveClusters INTEGER, sharedMemoryRequestedPercentage INTEGER"""),
    MEMCPY("CUPTI_ACTIVITY_KIND_MEMCPY", """
            start INTEGER NOT NULL, end INTEGER NOT NULL, deviceId INTEGER NOT NULL, contextId INTEGER NOT NULL,
            greenContextId INTEGER, streamId INTEGER NOT NULL, correlationId INTEGER, globalPid INTEGER,
            bytes INTEGER NOT NULL, copyKind INTEGER NOT NULL, deprecatedSrcId INTEGER, srcKind INTEGER,
            dstKind INTEGER, srcDeviceId INTEGER, srcContextId INTEGER, dstDeviceId INTEGER, dstContextId INTEGER,
            migrationCause INTEGER, graphNodeId INTEGER, virtualAddress INTEGER, copyCount INTEGER"""),
    MEMSET("CUPTI_ACTIVITY_KIND_MEMSET", """
            start INTEGER NOT NULL, end INTEGER NOT NULL, deviceId INTEGER NOT NULL, contextId INTEGER NOT NULL,
            greenContextId INTEGER, streamId INTEGER NOT NULL, correlationId INTEGER, globalPid INTEGER,
            value INTEGER NOT NULL, bytes INTEGER NOT NULL, graphNodeId INTEGER, memKind INTEGER"""),
    GRAPH_NODES("CUDA_GRAPH_NODE_EVENTS", """
            start INTEGER NOT NULL, end INTEGER NOT NULL, eventClass INTEGER NOT NULL, globalTid INTEGER,
            nameId INTEGER NOT NULL, graphNodeId INTEGER NOT NULL, originalGraphNodeId INTEGER"""),
    CALL_CHAINS("CUDA_CALLCHAINS", """
            id INTEGER NOT NULL, symbol INTEGER NOT NULL, module INTEGER NOT NULL, unresolved INTEGER,
            originalIP INTEGER, stackDepth INTEGER NOT NULL, PRIMARY KEY (id, stackDepth)"""),
    GPU_METRICS(
            "GPU_METRICS",
            "timestamp INTEGER, typeId INTEGER NOT NULL, metricId INTEGER NOT NULL, value INTEGER NOT NULL"),
    GPU_METRIC_NAMES("TARGET_INFO_GPU_METRICS", """
            typeId INTEGER NOT NULL, sourceId INTEGER NOT NULL, typeName TEXT NOT NULL, metricId INTEGER NOT NULL,
            metricName TEXT NOT NULL"""),
    EVENT_TYPES("ENUM_NSYS_EVENT_TYPE", "id INTEGER NOT NULL PRIMARY KEY, name TEXT, label TEXT"),
    EVENT_CLASSES("ENUM_NSYS_EVENT_CLASS", "id INTEGER NOT NULL PRIMARY KEY, name TEXT, label TEXT"),
    COPY_KINDS("ENUM_CUDA_MEMCPY_OPER", "id INTEGER NOT NULL PRIMARY KEY, name TEXT, label TEXT"),
    MEMORY_KINDS("ENUM_CUDA_MEM_KIND", "id INTEGER NOT NULL PRIMARY KEY, name TEXT, label TEXT"),
    LAUNCH_TYPES("ENUM_CUDA_KERNEL_LAUNCH_TYPE", "id INTEGER NOT NULL PRIMARY KEY, name TEXT, label TEXT"),
    GPUS("TARGET_INFO_GPU", """
            vmId INTEGER NOT NULL, id INTEGER NOT NULL, name TEXT, busLocation TEXT, isDiscrete INTEGER,
            l2CacheSize INTEGER, totalMemory INTEGER, memoryBandwidth INTEGER, clockRate INTEGER, smCount INTEGER,
            pwGpuId INTEGER, uuid TEXT, luid INTEGER, chipName TEXT, cuDevice INTEGER, ctxswDevPath TEXT,
            ctrlDevPath TEXT, revision INTEGER, nodeMask INTEGER, constantMemory INTEGER, maxIPC INTEGER,
            maxRegistersPerBlock INTEGER, maxShmemPerBlock INTEGER, maxShmemPerBlockOptin INTEGER,
            maxShmemPerSm INTEGER, maxRegistersPerSm INTEGER, threadsPerWarp INTEGER, asyncEngines INTEGER,
            maxWarpsPerSm INTEGER, maxBlocksPerSm INTEGER, maxThreadsPerBlock INTEGER, maxBlockDimX INTEGER,
            maxBlockDimY INTEGER, maxBlockDimZ INTEGER, maxGridDimX INTEGER, maxGridDimY INTEGER,
            maxGridDimZ INTEGER, computeMajor INTEGER, computeMinor INTEGER, smMajor INTEGER, smMinor INTEGER"""),
    CUDA_DEVICES(
            "TARGET_INFO_CUDA_DEVICE",
            "gpuId INTEGER, cudaId INTEGER NOT NULL, pid INTEGER NOT NULL, uuid TEXT, numMultiprocessors INTEGER"),
    CUDA_STREAMS("TARGET_INFO_CUDA_STREAM", """
            streamId INTEGER NOT NULL, hwId INTEGER NOT NULL, vmId INTEGER NOT NULL, processId INTEGER NOT NULL,
            contextId INTEGER NOT NULL, priority INTEGER NOT NULL, flag INTEGER NOT NULL"""),
    SESSION(
            "TARGET_INFO_SESSION_START_TIME",
            "utcEpochNs INTEGER, utcTime TEXT, localTime TEXT, systemClockNs INTEGER"),
    ANALYSIS("ANALYSIS_DETAILS", """
            globalVid INTEGER NOT NULL, duration INTEGER NOT NULL, startTime INTEGER NOT NULL,
            stopTime INTEGER NOT NULL"""),
    PROCESSES("PROCESSES", "globalPid INTEGER, pid INTEGER, name TEXT"),
    THREAD_NAMES("ThreadNames", "nameId INTEGER NOT NULL, priority INTEGER, globalTid INTEGER"),
    EXPORT_FACTS("META_DATA_EXPORT", "name TEXT NOT NULL, value TEXT"),
    CAPTURE_FACTS("META_DATA_CAPTURE", "name TEXT NOT NULL, value TEXT");

    private final String sqlName;
    private final String declarations;

    TraceTable(String sqlName, String declarations) {
        this.sqlName = sqlName;
        this.declarations = declarations;
    }

    /** Name in the database. */
    String sqlName() {
        return sqlName;
    }

    /** Column names in order, taken from the declarations. */
    List<String> columns() {
        return Arrays.stream(declarations.replaceAll("\\s+", " ").split(", "))
                .filter(declaration -> !declaration.startsWith("PRIMARY KEY") && !declaration.endsWith(")"))
                .map(declaration -> declaration.substring(0, declaration.indexOf(' ')))
                .toList();
    }

    /** Position of a column. */
    int column(String name) {
        int index = columns().indexOf(name);
        if (index < 0) {
            throw new IllegalArgumentException(sqlName + " has no column " + name);
        }
        return index;
    }

    String create() {
        return "CREATE TABLE " + sqlName + " (" + declarations + ")";
    }

    String insert() {
        return "INSERT INTO " + sqlName + " VALUES (" + "?,".repeat(columns().size() - 1) + "?)";
    }
}
