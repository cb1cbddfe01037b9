package layerwise.report;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import layerwise.report.html.CorrelationPage;
import layerwise.report.html.Series;
import layerwise.report.profile.Correlation;
import layerwise.report.profile.ShortNames;
import layerwise.trace.TraceException;
import picocli.CommandLine.Model.CommandSpec;

/** Draws timelines over the kernels of a reference. */
final class CorrelateCommand implements Callable<Integer> {
    private final CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
    private final Options options = new Options(spec)
            .value(Path.class, "FILE.json", "Timeline whose kernels make the axis; exactly one.", "--reference")
            .values(Path.class, "FILE.json", "Timelines to draw over it; may be repeated.", "--target")
            .value(Path.class, "FILE.html", "Page to write (default: correlation.html).", "--output", "-o");

    static CommandSpec spec() {
        CorrelateCommand command = new CorrelateCommand();
        command.spec.usageMessage().description("Durations and end times of timelines over those of a reference.");
        return command.spec;
    }

    @Override
    public Integer call() {
        Path referenceFile = options.<Path>get("--reference")
                .orElseThrow(() -> new TraceException("correlate: --reference is missing"));
        List<Path> targets = options.list("--target");
        if (targets.isEmpty()) {
            throw new TraceException("correlate: --target is missing");
        }
        List<TimelineFile> references = TimelineFile.read(referenceFile);
        if (references.size() != 1) {
            throw new TraceException(referenceFile + ": Ambiguous reference data: " + references.size() + " timelines");
        }
        TimelineFile reference = references.getFirst();
        ShortNames names = new ShortNames();
        List<Series> series = new ArrayList<>();
        series.add(series("reference: " + reference.name(), reference, reference, names));
        for (int t = 0; t < targets.size(); t++) {
            for (TimelineFile target : TimelineFile.read(targets.get(t))) {
                series.add(series("target" + t + ": " + target.name(), reference, target, names));
            }
        }
        Path output = options.get("--output", Path.of("correlation.html"));
        try (OutputFiles files = new OutputFiles()) {
            files.add(
                    output.toAbsolutePath(),
                    CorrelationPage.render(
                            series, reference.names().stream().map(names::of).toList()));
            files.commit();
        }
        Main.print(output + "\n");
        return 0;
    }

    private static Series series(String name, TimelineFile reference, TimelineFile target, ShortNames names) {
        double[] places = Correlation.places(reference.names(), target.names());
        List<Series.Point> points = new ArrayList<>();
        for (int i = 0; i < places.length; i++) {
            TimelineFile.Kernel kernel = target.kernels().get(i);
            points.add(new Series.Point(
                    names.of(kernel.name()), places[i], kernel.duration() / 1000, kernel.end() / 1000));
        }
        return new Series(name, points);
    }
}
