package layerwise.report;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import layerwise.report.html.HtmlReport;
import layerwise.report.html.ListingPage;
import layerwise.report.html.UntimedPage;
import layerwise.report.profile.KernelListing;
import layerwise.report.profile.MergedTable;
import layerwise.report.profile.Profile;
import layerwise.report.profile.ProfileOptions;
import layerwise.report.profile.Profiler;
import layerwise.report.profile.RepeatedBlock;
import layerwise.report.profile.ShortNames;
import layerwise.report.render.CsvReport;
import layerwise.report.render.JsonReport;
import layerwise.report.render.ListingReport;
import layerwise.report.render.MarkdownReport;
import layerwise.report.render.PerfettoTrace;
import layerwise.report.render.ReportContext;
import layerwise.report.render.TableLine;
import layerwise.report.render.TextReport;
import layerwise.report.render.UntimedReport;
import layerwise.report.table.ModuleSums;
import layerwise.report.table.PathRow;
import layerwise.report.table.PathTable;
import layerwise.trace.TraceException;
import layerwise.trace.TraceFile;
import picocli.CommandLine.Model.CommandSpec;

/** Evaluates one trace and writes its reports beside it. */
final class ReportCommand implements Callable<Integer> {
    private final CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
    private final Options options = new Options(spec)
            .value(Path.class, "FILE", "A .nsys-rep or .sqlite file.", "--file-path")
            .value(Path.class, "DIR", "Folder of the traces (default: profiles).", "--profile-dir")
            .value(Integer.class, "N", "Ranks of the run; with --rank names the trace.", "--world-size", "--np")
            .value(Integer.class, "R", "Rank of the trace (default: 0).", "--rank")
            .value(Integer.class, "N", "Runs of each problem to drop (default: as recorded).", "--warmup-times")
            .value(String.class, "NAME", "Only kernels inside ranges of exactly this name.", "--module")
            .value(String.class, "A,B", "Pieces of names whose rows are summed at the end.", "--query")
            .flag("--error-on-unknown-kernel", "Fail on element-wise PyTorch kernels that no rule knows.")
            .flag("--lenient", "Group by name where runs differ; list kernels of traces without markers.")
            .flag("--all-ranks", "One report over all ranks of --world-size.")
            .flag("--perfetto", "Write one run of each problem for ui.perfetto.dev as well.")
            .value(String.class, "text|markdown", "What to print (default: text).", "--format");

    static CommandSpec spec() {
        ReportCommand command = new ReportCommand();
        command.spec.aliases("parse");
        command.spec
                .usageMessage()
                .description("Tables of kernels grouped by module, from a trace of nsys or of this program.");
        return command.spec;
    }

    @Override
    public Integer call() {
        isMarkdown(); // a wrong format ends before anything is written
        if (options.isSet("--all-ranks")) {
            refuse("a report over all ranks", "--file-path", "--rank", "--query", "--perfetto", "--format");
            Main.print(new AllRanks(profileDir(), worldSize(), profileOptions()).write());
            return 0;
        }
        TraceLocation location = location();
        Path database = NsysExport.database(location);
        TraceFile trace = TraceFile.open(database);
        ShortNames names = new ShortNames();
        Profiler profiler = new Profiler(trace, profileOptions(), names);
        boolean listing = options.isSet("--lenient") && !profiler.hasMarkers();
        Main.print(listing ? list(location, trace, names) : evaluate(location, profiler, names));
        return 0;
    }

    private String evaluate(TraceLocation location, Profiler profiler, ShortNames names) {
        Profile profile = profiler.evaluate();
        checkKnown(names);
        MergedTable table = MergedTable.of(profile.problems());
        if (!profile.isTimed()) {
            return untimed(location, table);
        }
        ReportContext context = new ReportContext(
                location.database().getFileName().toString(),
                arguments(),
                profile,
                table,
                TableLine.of(table),
                profile.problems().parallelStream().map(ModuleSums::of).toList(),
                RepeatedBlock.of(table));
        String text = TextReport.render(context, queries());
        try (OutputFiles files = new OutputFiles()) {
            files.add(location.sibling(".txt"), text);
            files.add(location.sibling(".csv"), CsvReport.render(table));
            files.add(location.sibling(".html"), HtmlReport.render(context));
            files.add(location.sibling(".json"), out -> JsonReport.write(context, out));
            if (options.isSet("--perfetto")) {
                files.add(location.sibling(".perfetto.json"), out -> PerfettoTrace.write(profile, out));
            }
            files.commit();
        }
        return isMarkdown() ? MarkdownReport.render(context) : text;
    }

    private String untimed(TraceLocation location, MergedTable table) {
        refuse("a report of ranks that shared a GPU", "--query", "--perfetto", "--format");
        String source = location.database().getFileName().toString();
        String text = UntimedReport.text(source, table);
        try (OutputFiles files = new OutputFiles()) {
            files.add(location.sibling(".txt"), text);
            files.add(location.sibling(".csv"), UntimedReport.csv(table));
            files.add(location.sibling(".html"), UntimedPage.render(source, table));
            files.add(location.sibling(".json"), out -> UntimedReport.json(source, table, out));
            files.commit();
        }
        return text;
    }

    private boolean isMarkdown() {
        String format = options.get("--format", "text");
        if (!format.equals("text") && !format.equals("markdown")) {
            throw new TraceException("--format " + format + ": expected text or markdown");
        }
        return format.equals("markdown");
    }

    private String list(TraceLocation location, TraceFile trace, ShortNames names) {
        refuse("a listing of " + location.database(), "--module", "--query", "--perfetto", "--format");
        List<PathRow> rows = PathTable.of(new KernelListing(trace, names).read());
        String source = location.database().getFileName().toString();
        String text = ListingReport.text(source, trace.exporter(), rows);
        try (OutputFiles files = new OutputFiles()) {
            files.add(location.sibling(".txt"), text);
            files.add(location.sibling(".csv"), ListingReport.csv(rows));
            files.add(location.sibling(".html"), ListingPage.render(source, trace.exporter(), rows));
            files.add(location.sibling(".json"), out -> ListingReport.json(source, trace.exporter(), rows, out));
            files.commit();
        }
        return text;
    }

    /** Options that one kind of report has nothing to do with are errors, not ignored. */
    private void refuse(String report, String... names) {
        for (String name : names) {
            if (options.<Object>get(name).filter(value -> !value.equals(false)).isPresent()) {
                throw new TraceException(name + ": not for " + report);
            }
        }
    }

    private TraceLocation location() {
        Optional<Path> file = options.get("--file-path");
        Optional<Integer> worldSize = options.get("--world-size");
        if (file.isPresent() == worldSize.isPresent()) {
            throw new TraceException("Please specify exactly one of --file-path and --world-size.");
        }
        return file.map(TraceLocation::of)
                .orElseGet(() -> TraceLocation.ofRank(profileDir(), worldSize.orElseThrow(), rank()));
    }

    private int worldSize() {
        return options.<Integer>get("--world-size")
                .filter(ranks -> ranks > 0)
                .orElseThrow(() -> new TraceException(
                        "--all-ranks: expected --world-size N, the number of ranks in --profile-dir"));
    }

    private Path profileDir() {
        return options.get("--profile-dir", Path.of("profiles"));
    }

    private int rank() {
        return options.get("--rank", 0);
    }

    private ProfileOptions profileOptions() {
        return new ProfileOptions(
                options.<Integer>get("--warmup-times").map(OptionalInt::of).orElse(OptionalInt.empty()),
                options.get("--module"),
                options.isSet("--lenient"));
    }

    private void checkKnown(ShortNames names) {
        names.unknown().forEach(name -> System.err.println("Not parsed torch kernel name: " + name));
        if (options.isSet("--error-on-unknown-kernel") && !names.unknown().isEmpty()) {
            throw new TraceException("Unknown kernel names encountered: "
                    + names.unknown().iterator().next()
                    + (names.unknown().size() == 1
                            ? ""
                            : " and " + (names.unknown().size() - 1) + " more"));
        }
    }

    private List<String> queries() {
        return options.<String>get("--query").stream()
                .flatMap(query -> Arrays.stream(query.split(",")))
                .map(String::strip)
                .filter(piece -> !piece.isEmpty())
                .toList();
    }

    private Map<String, Object> arguments() {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put(
                "file_path",
                options.<Path>get("--file-path").map(Path::toString).orElse(null));
        values.put("profile_dir", profileDir().toString());
        values.put("world_size", options.<Integer>get("--world-size").orElse(null));
        values.put("rank", rank());
        values.put("warmup_times", options.<Integer>get("--warmup-times").orElse(null));
        values.put("module", options.<String>get("--module").orElse(null));
        values.put("query", options.<String>get("--query").orElse(null));
        values.put("error_on_unknown_kernel", options.isSet("--error-on-unknown-kernel"));
        return values;
    }
}
