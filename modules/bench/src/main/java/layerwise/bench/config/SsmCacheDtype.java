package layerwise.bench.config;

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

    @Override
    public String toString() {
        return spelling;
    }
}
