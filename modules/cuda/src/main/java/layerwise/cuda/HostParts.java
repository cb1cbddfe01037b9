package layerwise.cuda;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/** Pieces of host memory that are one run of bytes when laid one behind the other. */
final class HostParts {
    private static final Thread OTHER = Thread.ofPlatform().unstarted(() -> {});

    private final MemorySegment[] parts;
    /** Where each part begins, and last where all end. */
    private final long[] starts;

    HostParts(List<MemorySegment> parts) {
        this.parts = parts.toArray(MemorySegment[]::new);
        starts = new long[this.parts.length + 1];
        for (int i = 0; i < this.parts.length; i++) {
            starts[i + 1] = starts[i] + this.parts[i].byteSize();
        }
    }

    /** Whether any thread may read them: nobody's arena confines them. */
    boolean isUnconfined() {
        return Arrays.stream(parts).allMatch(part -> part.isAccessibleBy(OTHER));
    }

    long bytes() {
        return starts[parts.length];
    }

    /** Fills {@code target} with the bytes from {@code from} on. */
    void copy(long from, MemorySegment target) {
        long end = from + target.byteSize();
        if (from < 0 || end > bytes()) {
            throw new IndexOutOfBoundsException("bytes %d to %d of %d".formatted(from, end, bytes()));
        }
        int part = partAt(from);
        for (long at = from; at < end; part++) {
            long until = Math.min(end, starts[part + 1]);
            MemorySegment.copy(parts[part], at - starts[part], target, at - from, until - at);
            at = until;
        }
    }

    /** The part that holds a byte: the last that begins at or before it. */
    private int partAt(long at) {
        int low = 0;
        int high = parts.length - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (starts[middle] <= at) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }
}
