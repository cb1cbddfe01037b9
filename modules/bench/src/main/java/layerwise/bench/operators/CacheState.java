package layerwise.bench.operators;

import java.util.Locale;

/** Whether operands were in the cache when an operator started that was timed alone. */
enum CacheState {
    /** What the copies touch together is more than twice the cache. */
    COLD,
    /** The same, but for large tables and caches of which one launch touches little: all copies share those. */
    PARTLY,
    /** There were fewer copies than that takes. */
    WARM,
    /** The executor knows of no cache; there was one copy. */
    UNKNOWN;

    /** As tables and files show it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
