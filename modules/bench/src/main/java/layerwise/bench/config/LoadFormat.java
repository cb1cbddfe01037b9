package layerwise.bench.config;

/** Where weights come from. */
public enum LoadFormat {
    /** From the checkpoint folder that {@code model} names. */
    AUTO,
    /** Made up: seeded numbers in ranges that neither vanish nor overflow. */
    DUMMY
}
