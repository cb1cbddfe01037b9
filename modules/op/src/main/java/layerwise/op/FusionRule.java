package layerwise.op;

/** A rewriting that an executor may ask {@link layerwise.op.fusion.Fusion} for, named after the operator it makes. */
public enum FusionRule {
    ADD_RMS_NORM,
    MLA_ROPE_APPEND,
    GATED_GROUPED_LINEAR,
    SWI_GLU_ROUND_ROWS,
    GROUPED_LINEAR_COMBINE
}
