package layerwise.report.plot;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Names of files: of their paths what not all of them share. */
final class DistinctNames {
    private DistinctNames() {}

    /** The parts of each file's name, at least one; a file's own name stands without its suffix. */
    static List<List<String>> of(List<Path> files) {
        List<List<String>> all = files.stream().map(DistinctNames::parts).toList();
        while (all.stream().allMatch(parts -> parts.size() > 1) && areEqual(all, true)) {
            all.forEach(List::removeFirst);
        }
        while (all.stream().allMatch(parts -> parts.size() > 1) && areEqual(all, false)) {
            all.forEach(List::removeLast);
        }
        return all;
    }

    private static boolean areEqual(List<List<String>> all, boolean first) {
        return all.stream()
                        .map(parts -> first ? parts.getFirst() : parts.getLast())
                        .distinct()
                        .count()
                == 1;
    }

    private static List<String> parts(Path file) {
        List<String> parts = new ArrayList<>();
        file.toAbsolutePath().normalize().forEach(part -> parts.add(part.toString()));
        String name = parts.removeLast();
        int dot = name.lastIndexOf('.');
        parts.add(dot > 0 ? name.substring(0, dot) : name);
        return parts;
    }
}
