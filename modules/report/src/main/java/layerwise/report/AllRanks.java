package layerwise.report;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import layerwise.report.html.RankPage;
import layerwise.report.profile.Profile;
import layerwise.report.profile.ProfileOptions;
import layerwise.report.profile.Profiler;
import layerwise.report.profile.ShortNames;
import layerwise.report.render.RankReport;
import layerwise.report.table.RankTable;
import layerwise.trace.TraceException;
import layerwise.trace.TraceFile;

/** One report over the traces of all ranks: beside them, named {@code report_np{N}_all_ranks}. */
final class AllRanks {
    private final Path folder;
    private final int worldSize;
    private final ProfileOptions options;

    AllRanks(Path folder, int worldSize, ProfileOptions options) {
        this.folder = folder;
        this.worldSize = worldSize;
        this.options = options;
    }

    /**
     * Writes the report and returns its text.
     *
     * @throws TraceException if a rank's trace is missing or cannot be used, or the ranks ran different problems
     */
    String write() {
        List<TraceLocation> locations = IntStream.range(0, worldSize)
                .mapToObj(rank -> TraceLocation.ofRank(folder, worldSize, rank))
                .toList();
        checkAllThere(locations);
        List<Profile> ranks = new ArrayList<>();
        for (int rank = 0; rank < worldSize; rank++) {
            Path database = NsysExport.database(locations.get(rank));
            ranks.add(new Profiler(TraceFile.open(database), options, new ShortNames()).evaluate());
            ranks.getLast().requireTimes(database);
            checkSameProblems(ranks.getFirst(), ranks.getLast(), rank);
        }
        List<RankTable> tables = IntStream.range(0, ranks.getFirst().problems().size())
                .mapToObj(problem -> RankTable.of(
                        ranks.stream().map(rank -> rank.problems().get(problem)).toList()))
                .toList();
        String source = "report_np" + worldSize + "_rank0 … rank" + (worldSize - 1) + ", written by "
                + ranks.getFirst().exporter();
        String text = RankReport.text(worldSize, tables);
        Path target = folder.resolve("report_np" + worldSize + "_all_ranks");
        try (OutputFiles files = new OutputFiles()) {
            files.add(target.resolveSibling(target.getFileName() + ".txt"), text);
            files.add(target.resolveSibling(target.getFileName() + ".csv"), RankReport.csv(tables));
            files.add(
                    target.resolveSibling(target.getFileName() + ".html"), RankPage.render(source, worldSize, tables));
            files.add(target.resolveSibling(target.getFileName() + ".json"), out -> RankReport.json(tables, out));
            files.commit();
        }
        return text;
    }

    /** All that are missing at once: evaluating the others first would take its time. */
    private void checkAllThere(List<TraceLocation> locations) {
        List<Integer> missing = IntStream.range(0, worldSize)
                .filter(rank -> !Files.exists(locations.get(rank).database())
                        && !Files.exists(locations.get(rank).recording()))
                .boxed()
                .toList();
        if (!missing.isEmpty()) {
            Path first = locations.get(missing.getFirst()).database();
            throw new TraceException(first + ": no such file; --all-ranks needs the traces of all " + worldSize
                    + " ranks, missing are those of " + missing);
        }
    }

    private void checkSameProblems(Profile first, Profile other, int rank) {
        List<String> expected = first.problems().stream().map(p -> p.title()).toList();
        List<String> found = other.problems().stream().map(p -> p.title()).toList();
        if (!expected.equals(found)) {
            throw new TraceException(folder + ": rank " + rank + " ran " + found + " and rank 0 " + expected
                    + "; the traces are not of one run");
        }
    }
}
