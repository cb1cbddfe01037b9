package layerwise.op;

/** What scales of rounded activations may be; they are kept as float32 either way. */
public enum ScaleFormat {
    /** {@code max(amax, 1e-4) / 448}. */
    FLOAT32,
    /** The power of two at or above that, as DeepSeek's checkpoints from V3.1 on ask for. */
    UE8M0
}
