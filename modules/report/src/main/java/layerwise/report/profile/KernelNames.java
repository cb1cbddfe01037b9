package layerwise.report.profile;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import layerwise.trace.GpuActivities;

/** Full and short names by the ids that activities carry. */
final class KernelNames {
    private final Map<Integer, String> strings;
    private final ShortNames shortNames;
    private final Map<Integer, String> shortById = new ConcurrentHashMap<>();

    KernelNames(Map<Integer, String> strings, ShortNames shortNames) {
        this.strings = strings;
        this.shortNames = shortNames;
    }

    String fullName(int id) {
        return switch (id) {
            case GpuActivities.MEMCPY -> "Memcpy";
            case GpuActivities.MEMSET -> "Memset";
            default -> strings.getOrDefault(id, "?");
        };
    }

    String shortName(int id) {
        return shortById.computeIfAbsent(id, this::shorten);
    }

    private synchronized String shorten(int id) {
        return shortNames.of(fullName(id));
    }
}
