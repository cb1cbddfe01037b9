package layerwise.bench.config;

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

    @Override
    public String toString() {
        return spelling;
    }
}
