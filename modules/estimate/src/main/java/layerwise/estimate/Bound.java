package layerwise.estimate;

import java.util.Locale;

/** What the least time of a piece of work is due to. */
public enum Bound {
    /** Arithmetic units. */
    COMPUTE,
    /** The device's memory. */
    MEMORY,
    /** Links to other devices. */
    LINKS;

    /** As it stands in traces and tables. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
