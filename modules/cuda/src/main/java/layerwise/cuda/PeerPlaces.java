package layerwise.cuda;

import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/** Which parts of a block of memory are free; the lowest that fits is taken. The same calls give the same places. */
final class PeerPlaces {
    /** Alignment of every place, as of device memory. */
    static final long ALIGNMENT = 256;

    private final NavigableMap<Long, Long> free = new TreeMap<>(); // length by start
    private final Map<Long, Long> taken = new TreeMap<>();

    PeerPlaces(long bytes) {
        free.put(0L, bytes / ALIGNMENT * ALIGNMENT);
    }

    /** Takes a place, or none if no free part is large enough. */
    OptionalLong take(long bytes) {
        long size = Math.max(1, Math.ceilDiv(bytes, ALIGNMENT)) * ALIGNMENT;
        Optional<Map.Entry<Long, Long>> part = free.entrySet().stream()
                .filter(candidate -> candidate.getValue() >= size)
                .findFirst();
        if (part.isEmpty()) {
            return OptionalLong.empty();
        }
        long start = part.get().getKey();
        long rest = part.get().getValue() - size; // read before the entry goes
        free.remove(start);
        if (rest > 0) {
            free.put(start + size, rest);
        }
        taken.put(start, size);
        return OptionalLong.of(start);
    }

    /** Gives a place back; free neighbours become one part. */
    void giveBack(long start) {
        Long size = taken.remove(start);
        if (size == null) {
            throw new IllegalStateException("nothing was taken at " + start);
        }
        long from = start;
        long length = size;
        Map.Entry<Long, Long> before = free.lowerEntry(start);
        if (before != null && before.getKey() + before.getValue() == start) {
            from = before.getKey();
            length += before.getValue();
        }
        Long after = free.remove(start + size);
        if (after != null) {
            length += after;
        }
        free.put(from, length);
    }

    /** The same on ranks that made the same calls. */
    int fingerprint() {
        return 31 * free.hashCode() + taken.hashCode();
    }
}
