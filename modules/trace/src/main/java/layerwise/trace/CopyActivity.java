package layerwise.trace;

/**
 * One executed copy, as a row that its owner fills again and again (see {@link KernelActivity}).
 *
 * <p>Kinds are those of the exported columns: copies 1 host to device, 2 device to host, 8 device to device, 10 peer to
 * peer; memory 0 pageable, 1 pinned, 2 device, 7 unknown.
 */
public final class CopyActivity {
    public long start;
    public long end;
    public int deviceId;
    public int contextId;
    public int streamId;
    public long correlationId;
    public long bytes;
    public int copyKind;
    public int sourceKind;
    public int destinationKind;
    /** Executed node of a graph; 0 for an eager copy. */
    public long graphNodeId;

    public long copyCount = 1;

    /** A row of an eager activity at time 0. */
    public CopyActivity() {}
}
