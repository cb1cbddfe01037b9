package layerwise.report;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import layerwise.report.profile.MergedTable;
import layerwise.report.profile.ProblemProfile;
import layerwise.report.profile.Profile;
import layerwise.report.profile.ProfileOptions;
import layerwise.report.profile.Profiler;
import layerwise.report.profile.ShortNames;
import layerwise.report.render.CompareReport;
import layerwise.trace.TraceException;
import layerwise.trace.TraceFile;
import picocli.CommandLine.Model.CommandSpec;

/** Compares traces problem by problem, row by row. */
final class CompareCommand implements Callable<Integer> {
    private final CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
    private final Options options = new Options(spec)
            .value(Integer.class, "N", "Runs of each problem to drop (default: as recorded).", "--warmup-times")
            .flag("--lenient", "Group by name where the runs of a problem differ.")
            .arguments(Path.class, "2..*", "TRACE", "Traces (.nsys-rep or .sqlite); the first is the base.");

    static CommandSpec spec() {
        CompareCommand command = new CompareCommand();
        command.spec.usageMessage().description("Change of every module and kernel between traces.");
        return command.spec;
    }

    @Override
    public Integer call() {
        ProfileOptions profileOptions = new ProfileOptions(
                options.<Integer>get("--warmup-times").map(OptionalInt::of).orElse(OptionalInt.empty()),
                Optional.empty(),
                options.isSet("--lenient"));
        List<Path> files = options.arguments();
        List<Profile> profiles = new ArrayList<>();
        StringBuilder text = new StringBuilder("# layerwise compare; p: two-sided Mann-Whitney over the runs,"
                + " * below 0.01; one in a hundred rows is marked by chance\n");
        for (int i = 0; i < files.size(); i++) {
            Path database = NsysExport.database(TraceLocation.of(files.get(i)));
            profiles.add(new Profiler(TraceFile.open(database), profileOptions, new ShortNames()).evaluate());
            profiles.getLast().requireTimes(database);
            text.append("# ")
                    .append((char) ('A' + i))
                    .append(": ")
                    .append(database)
                    .append('\n');
        }
        for (List<ProblemProfile> same : sameProblems(profiles)) {
            CompareReport.append(same.getFirst().title(), MergedTable.of(same), text);
        }
        Main.print(text.toString());
        return 0;
    }

    /** Problems of one title in all traces; where each trace has a single problem, those. */
    private static List<List<ProblemProfile>> sameProblems(List<Profile> profiles) {
        if (profiles.stream().allMatch(profile -> profile.problems().size() == 1)) {
            return List.of(profiles.stream()
                    .map(profile -> profile.problems().getFirst())
                    .toList());
        }
        List<List<ProblemProfile>> all = new ArrayList<>();
        for (ProblemProfile base : profiles.getFirst().problems()) {
            List<ProblemProfile> same = profiles.stream()
                    .flatMap(profile -> profile.problems().stream()
                            .filter(problem -> problem.title().equals(base.title()))
                            .limit(1))
                    .toList();
            if (same.size() == profiles.size()) {
                all.add(same);
            }
        }
        if (all.isEmpty()) {
            throw new TraceException("the traces have no problem in common: "
                    + profiles.stream().map(CompareCommand::titles).collect(Collectors.joining(" against ")));
        }
        return all;
    }

    private static String titles(Profile profile) {
        return profile.problems().stream().map(ProblemProfile::title).toList().toString();
    }
}
