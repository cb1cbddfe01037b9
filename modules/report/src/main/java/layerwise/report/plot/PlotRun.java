package layerwise.report.plot;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import layerwise.trace.ProblemSpec;
import layerwise.trace.TraceException;

/**
 * Files that are drawn as one run.
 *
 * @param name  what tells runs apart
 * @param files one, or several that hold different problems
 */
public record PlotRun(String name, List<PlotFile> files) {
    public PlotRun {
        files = List.copyOf(files);
    }

    /**
     * The runs of these files, in order. Files that share the first part of their names are one run, recorded in parts, unless
     * a problem is in two of them.
     *
     * @throws TraceException if a file is given twice
     */
    static List<PlotRun> of(List<PlotFile> files) {
        List<List<String>> names = names(files);
        Map<String, List<Integer>> groups = new LinkedHashMap<>();
        for (int f = 0; f < files.size(); f++) {
            if (names.indexOf(names.get(f)) < f) {
                throw new TraceException(files.get(f).file() + ": is given twice; expected different files");
            }
            groups.computeIfAbsent(names.get(f).getFirst(), name -> new ArrayList<>())
                    .add(f);
        }
        List<PlotRun> runs = new ArrayList<>();
        groups.forEach((name, members) -> {
            List<PlotFile> parts = members.stream().map(files::get).toList();
            if (areDisjoint(parts)) {
                runs.add(new PlotRun(name, parts));
            } else {
                members.forEach(f -> runs.add(new PlotRun(String.join("/", names.get(f)), List.of(files.get(f)))));
            }
        });
        return runs;
    }

    /** The parts of each file's name: the traits in which not all agree, as one, then those of its path. */
    private static List<List<String>> names(List<PlotFile> files) {
        List<List<String>> names =
                DistinctNames.of(files.stream().map(PlotFile::file).toList());
        List<Integer> telling = IntStream.range(0, files.getFirst().traits().size())
                .filter(trait -> files.stream()
                                .map(file -> file.traits().get(trait))
                                .distinct()
                                .count()
                        > 1)
                .boxed()
                .toList();
        if (!telling.isEmpty()) {
            for (int f = 0; f < files.size(); f++) {
                names.get(f)
                        .addFirst(telling.stream()
                                .map(files.get(f).traits()::get)
                                .filter(trait -> !trait.isEmpty())
                                .collect(Collectors.joining(", ")));
            }
        }
        return names;
    }

    private static boolean areDisjoint(List<PlotFile> parts) {
        Set<ProblemSpec> seen = new HashSet<>();
        for (PlotFile part : parts) {
            List<ProblemSpec> problems =
                    part.points().stream().map(PlotPoint::problem).distinct().toList();
            if (problems.stream().anyMatch(seen::contains)) {
                return false;
            }
            seen.addAll(problems);
        }
        return true;
    }

    /** All points, in order of the files. */
    List<PlotPoint> points() {
        return files.stream().flatMap(file -> file.points().stream()).toList();
    }
}
