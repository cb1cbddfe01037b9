package layerwise.trace;

/** One executed memory set, as a row that its owner fills again and again (see {@link KernelActivity}). */
public final class FillActivity {
    public long start;
    public long end;
    public int deviceId;
    public int contextId;
    public int streamId;
    public long correlationId;
    public int value;
    public long bytes;
    /** Executed node of a graph; 0 for an eager set. */
    public long graphNodeId;

    /** Kind of memory: 0 pageable, 1 pinned, 2 device, 7 unknown. */
    public int memoryKind = 2;

    /** A row of an eager activity at time 0. */
    public FillActivity() {}
}
