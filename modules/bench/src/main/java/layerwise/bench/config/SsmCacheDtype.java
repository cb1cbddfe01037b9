package layerwise.bench.config;

import layerwise.tensor.DType;

/** Element type of state-space and delta-rule states, printed as options and YAML spell it. */
public enum SsmCacheDtype {
    /** The model's own type. */
    AUTO("auto"),
    FLOAT16("float16"),
    BFLOAT16("bfloat16"),
    FLOAT32("float32");

    private final String spelling;

    SsmCacheDtype(String spelling) {
        this.spelling = spelling;
    }

    /** The element type for a model whose activations have {@code own}. */
    public DType of(DType own) {
        return switch (this) {
            case AUTO -> own;
            case FLOAT16 -> DType.F16;
            case BFLOAT16 -> DType.BF16;
            case FLOAT32 -> DType.F32;
        };
    }

    @Override
    public String toString() {
        return spelling;
    }
}
