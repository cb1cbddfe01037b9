package layerwise.bench.config;

/** Mixture-of-experts implementations, by the names that engines use for them. */
public enum MoeBackend {
    CUTLASS,
    TRTLLM,
    DEEPGEMM,
    WIDEEP,
    CUTEDSL,
    MARLIN,
    VANILLA
}
