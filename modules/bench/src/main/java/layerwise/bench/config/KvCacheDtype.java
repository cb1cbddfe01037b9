package layerwise.bench.config;

import layerwise.tensor.DType;

/** Element type of the paged KV cache, printed as options and YAML spell it. */
public enum KvCacheDtype {
    /** What the checkpoint says, else the model's own type. */
    AUTO("auto"),
    /** {@code e4m3}. */
    FP8("fp8");

    private final String spelling;

    KvCacheDtype(String spelling) {
        this.spelling = spelling;
    }

    /** The element type for a model that by itself would take {@code byDefault}. */
    public DType of(DType byDefault) {
        return switch (this) {
            case AUTO -> byDefault;
            case FP8 -> DType.E4M3;
        };
    }

    @Override
    public String toString() {
        return spelling;
    }
}
