package layerwise.bench.config;

/** The phase that is measured. */
public enum RunType {
    /** Prefill: all query tokens of a sequence at once. */
    CTX,
    /** Decode: one token, or one and its drafts, against a filled KV cache. */
    GEN
}
