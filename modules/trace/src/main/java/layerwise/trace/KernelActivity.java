package layerwise.trace;

/**
 * One executed kernel, as a row that its owner fills again and again.
 *
 * <p>Mutable and with open fields on purpose: a tracer decodes millions of records on one thread and the recorder
 * copies each, so a fresh object for every record would be garbage. Times are nanoseconds since the session's start;
 * names are {@link TraceRecorder#string} ids. Values are those of the exported columns, so a CUPTI launch type is
 * written plus one.
 */
public final class KernelActivity {
    public long start;
    public long end;
    public int deviceId;
    public int contextId;
    public int streamId;
    public long correlationId;
    public int demangledName;
    public int shortName;
    public int mangledName;
    public int launchType = 1;
    public int cacheConfig;
    public int registersPerThread;
    public int gridX = 1;
    public int gridY = 1;
    public int gridZ = 1;
    public int blockX = 1;
    public int blockY = 1;
    public int blockZ = 1;
    public int staticSharedMemory;
    public int dynamicSharedMemory;
    public int localMemoryPerThread;
    public long localMemoryTotal;
    public long gridId;
    public int sharedMemoryExecuted;
    /** Executed node of a graph; 0 for an eager launch. */
    public long graphNodeId;

    public int sharedMemoryLimitConfig;
    /** Executed graph; 0 for an eager launch. */
    public int graphId;

    public int clusterX;
    public int clusterY;
    public int clusterZ;
    public int clusterSchedulingPolicy;
    public int maxPotentialClusterSize;
    public int maxActiveClusters;

    /** A row of an eager activity at time 0. */
    public KernelActivity() {}
}
