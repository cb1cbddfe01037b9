package layerwise.bench.estimate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import layerwise.bench.config.DeviceChoice;
import layerwise.bench.config.RunConfig;
import layerwise.bench.device.GpuFile;
import layerwise.bench.device.Installation;
import layerwise.estimate.Curve;
import layerwise.estimate.Efficiency;
import layerwise.estimate.GpuFacts;
import layerwise.estimate.LinkCosts;
import layerwise.estimate.OperatorKind;
import layerwise.estimate.Span;
import layerwise.model.spec.ModelCatalog;
import layerwise.op.Lane;
import layerwise.op.Work;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reports of a made-up GPU whose curves are known. */
class CurveFittingTest {
    private static final Path CONFIGS = Installation.home().resolve("configs");
    private static final GpuFacts H100 = GpuFile.named("test", "h100-sxm", CONFIGS.resolve("gpus"));
    private static final LinkCosts LINKS = new LinkCosts(1000, 2000, 0.5, 0.5);
    private static final Efficiency TRUTH = new Efficiency(
            "h100-sxm",
            "made up",
            Map.of(
                    OperatorKind.parse("Linear bf16"), new Curve(5000, 0.7, 0.75, 2, List.of()),
                    OperatorKind.parse("GatedGroupedLinear nvfp4"), new Curve(8000, 0.5, 0.9, 3, List.of())),
            new Curve(2500, 0.4, 0.6, 1.5, List.of()),
            200,
            1700,
            LINKS,
            new Efficiency.ExpectedError(0, 0, ""));

    @TempDir
    Path folder;

    private final CurveFitting fitting =
            new CurveFitting(H100, "h100-sxm", new ModelCatalog(CONFIGS.resolve("models")));

    private List<MeasuredProblem> problems(String... batches) throws IOException {
        List<MeasuredProblem> problems = new ArrayList<>();
        for (String batch : batches) {
            for (String graph : List.of("--use-cuda-graph", "--no-use-cuda-graph")) {
                RunConfig config =
                        Plans.config("config_gen.yaml", "--batch-size", batch, graph, "--device", "estimate:h100-sxm");
                List<Span> spans = new Estimator(
                                config,
                                Plans.model(config.model()),
                                (DeviceChoice.Estimate) config.device(),
                                H100,
                                TRUTH,
                                Map.of())
                        .step(config.problems().getFirst())
                        .spans(0);
                Path file = folder.resolve(batch + graph + ".json");
                Files.writeString(file, json(config, spans));
                problems.addAll(MeasuredProblem.read(file));
            }
        }
        return problems;
    }

    private static String json(RunConfig config, List<Span> spans) {
        StringBuilder timeline = new StringBuilder();
        for (int i = 0; i < spans.size(); i++) {
            Span span = spans.get(i);
            Work work = span.operator().work();
            timeline.append(i == 0 ? "" : ",")
                    .append(String.format(
                            Locale.ROOT,
                            """
                            {"launch": %d, "operator": "%s", "shape": "%s", "format": "%s", "flops": %d, "bytes": %d,
                             "link_bytes": 0, "duration": %f, "end": %f, "stream": %d}""",
                            i,
                            span.operator().name(),
                            span.operator().label(),
                            work.arithmetic().name().toLowerCase(Locale.ROOT),
                            work.flops(),
                            work.bytes(),
                            span.end() - span.start(),
                            span.end(),
                            span.lane() == Lane.MAIN ? 7 : 13));
        }
        double total = spans.stream().mapToDouble(Span::end).max().orElseThrow();
        return String.format(
                Locale.ROOT, """
                [{"name": "b=%d s=1 past=8193 NP1", "gpus": ["NVIDIA H100 80GB HBM3"], "total": %f, "run_args": %s,
                  "timeline": [%s]}]""", config.problems().getFirst().batchSize(), total, config.argsJson(), timeline);
    }

    @Test
    void curvesComeBackFromTheTimesTheyMade() throws IOException {
        List<MeasuredProblem> problems = problems("1", "2", "8", "32", "64", "128", "256");
        Efficiency found = fitting.fit(problems, "made up", LINKS, new Efficiency.ExpectedError(0, 0, ""));
        assertEquals(200, found.graphGap(), 1);
        assertEquals(1700, found.eagerGap(), 1);
        for (CurveFitting.Comparison comparison : fitting.compare(problems, found)) {
            assertEquals(0, comparison.error(), 0.02, comparison.problem().title());
        }
        Path file = folder.resolve("curves.yaml");
        CurveFile.write(found, "test", file);
        for (CurveFitting.Comparison comparison : fitting.compare(problems, CurveFile.read(file))) {
            assertEquals(0, comparison.error(), 0.03, "as written and read again");
        }
    }

    @Test
    void aProblemIsPredictedWithoutItsShapes() throws IOException {
        List<MeasuredProblem> problems = problems("1", "4", "16", "32", "64", "128", "256", "512");
        for (CurveFitting.Comparison comparison : fitting.withoutTheirShapes(problems, LINKS)) {
            assertTrue(Math.abs(comparison.error()) < 0.25, comparison.problem().title() + " " + comparison.error());
        }
    }

    @Test
    void operatorsThatRanBesideOthersAreNotMeasurements() throws IOException {
        for (MeasuredProblem problem : problems("128")) {
            boolean graph = problem.run().path("use_cuda_graph").asBoolean();
            long disturbed = problem.launches().stream()
                    .filter(launch -> !launch.alone())
                    .count();
            assertEquals(graph, disturbed > 0, problem.what());
        }
    }
}
