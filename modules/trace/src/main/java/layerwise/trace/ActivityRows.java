package layerwise.trace;

/** Copies activities into their tables' columns, in the order in which {@link TraceTable} declares them. */
final class ActivityRows {
    private static final int NO_GREEN_CONTEXT = 0;
    private static final int COPY_NODE = TraceTable.MEMCPY.column("graphNodeId");
    private static final int COPY_COUNT = TraceTable.MEMCPY.column("copyCount");

    private final long globalPid;
    private final Rows kernels = new Rows(TraceTable.KERNEL);
    private final Rows copies = new Rows(TraceTable.MEMCPY);
    private final Rows fills = new Rows(TraceTable.MEMSET);

    ActivityRows(long globalPid) {
        this.globalPid = globalPid;
    }

    Rows kernels() {
        return kernels;
    }

    Rows copies() {
        return copies;
    }

    Rows fills() {
        return fills;
    }

    void add(KernelActivity kernel) {
        int c = place(
                kernels,
                kernel.start,
                kernel.end,
                kernel.deviceId,
                kernel.contextId,
                kernel.streamId,
                kernel.correlationId);
        kernels.put(c++, kernel.demangledName);
        kernels.put(c++, kernel.shortName);
        kernels.put(c++, kernel.mangledName);
        kernels.put(c++, kernel.launchType);
        kernels.put(c++, kernel.cacheConfig);
        kernels.put(c++, kernel.registersPerThread);
        kernels.put(c++, kernel.gridX);
        kernels.put(c++, kernel.gridY);
        kernels.put(c++, kernel.gridZ);
        kernels.put(c++, kernel.blockX);
        kernels.put(c++, kernel.blockY);
        kernels.put(c++, kernel.blockZ);
        kernels.put(c++, kernel.staticSharedMemory);
        kernels.put(c++, kernel.dynamicSharedMemory);
        kernels.put(c++, kernel.localMemoryPerThread);
        kernels.put(c++, kernel.localMemoryTotal);
        kernels.put(c++, kernel.gridId);
        kernels.put(c++, kernel.sharedMemoryExecuted);
        kernels.put(c++, node(kernel.graphNodeId));
        kernels.put(c++, kernel.sharedMemoryLimitConfig);
        c += 3; // qmd* columns: not in CUPTI's records
        kernels.put(c++, kernel.graphId);
        kernels.put(c++, kernel.clusterX);
        kernels.put(c++, kernel.clusterY);
        kernels.put(c++, kernel.clusterZ);
        kernels.put(c++, kernel.clusterSchedulingPolicy);
        kernels.put(c++, kernel.maxPotentialClusterSize);
        kernels.put(c, kernel.maxActiveClusters);
    }

    void add(CopyActivity copy) {
        int c = place(copies, copy.start, copy.end, copy.deviceId, copy.contextId, copy.streamId, copy.correlationId);
        copies.put(c++, copy.bytes);
        copies.put(c++, copy.copyKind);
        c++; // deprecatedSrcId
        copies.put(c++, copy.sourceKind);
        copies.put(c, copy.destinationKind);
        copies.put(COPY_NODE, node(copy.graphNodeId));
        copies.put(COPY_COUNT, copy.copyCount);
    }

    void add(FillActivity fill) {
        int c = place(fills, fill.start, fill.end, fill.deviceId, fill.contextId, fill.streamId, fill.correlationId);
        fills.put(c++, fill.value);
        fills.put(c++, fill.bytes);
        fills.put(c++, node(fill.graphNodeId));
        fills.put(c, fill.memoryKind);
    }

    /** The columns that all three tables begin with; returns the position after them. */
    private int place(Rows rows, long start, long end, int deviceId, int contextId, int streamId, long correlationId) {
        rows.add();
        int c = 0;
        rows.put(c++, start);
        rows.put(c++, end);
        rows.put(c++, deviceId);
        rows.put(c++, contextId);
        rows.put(c++, NO_GREEN_CONTEXT);
        rows.put(c++, streamId);
        rows.put(c++, correlationId);
        rows.put(c++, globalPid);
        return c;
    }

    private static long node(long graphNodeId) {
        return graphNodeId == 0 ? Rows.NULL : graphNodeId;
    }
}
