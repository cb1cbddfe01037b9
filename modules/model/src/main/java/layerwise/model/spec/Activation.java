package layerwise.model.spec;

/** What stands between the matrices of an MLP or an expert. */
public enum Activation {
    /** {@code silu(gate(x)) · up(x)}: three matrices. */
    SWIGLU,
    /** {@code max(0, up(x))²}: two matrices. */
    SQUARED_RELU
}
