package layerwise.op;

/** Which units do an operator's arithmetic: it decides the rate that limits it. */
public enum Arithmetic {
    /** Tensor cores, bfloat16 operands. */
    BF16,
    /** Tensor cores, float8 operands. */
    FP8,
    /** Tensor cores, float4 operands with block scales. */
    FP4,
    /** Tensor cores, tf32 operands. */
    TF32,
    /** CUDA cores, float32. */
    F32
}
