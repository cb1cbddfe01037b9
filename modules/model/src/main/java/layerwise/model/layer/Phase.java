package layerwise.model.layer;

/** Which of its two forms attention takes. */
public enum Phase {
    /** Prefill: many new tokens a sequence, keys and values expanded. */
    CONTEXT,
    /** Decode: few new tokens a sequence, attention against the cached latents. */
    GENERATION
}
