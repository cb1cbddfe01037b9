package layerwise.bench.estimate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import layerwise.bench.config.DeviceChoice;
import layerwise.bench.config.RunConfig;
import layerwise.estimate.Curve;
import layerwise.estimate.CurveFit;
import layerwise.estimate.Efficiency;
import layerwise.estimate.GpuFacts;
import layerwise.estimate.LinkCosts;
import layerwise.estimate.OperatorKind;
import layerwise.model.spec.ModelCatalog;

/** Curves from measured problems, and how well they tell problems that they were not made of. */
final class CurveFitting {
    /** Typical of Hopper's kernels; stands where too little was measured. */
    private static final Curve USUAL = new Curve(3000, 0.55, 0.8, 2, List.of());

    /** Fewer sizes do not tell an overhead from a rate: they correct the usual curve. */
    private static final int LEAST_SAMPLES = 4;

    private final GpuFacts gpu;
    private final String gpuName;
    private final ModelCatalog models;

    /** @param gpuName of the GPU that was measured, as its file is named */
    CurveFitting(GpuFacts gpu, String gpuName, ModelCatalog models) {
        this.gpu = gpu;
        this.gpuName = gpuName;
        this.models = models;
    }

    /**
     * A measured problem and its estimate.
     *
     * @param estimated nanoseconds
     */
    record Comparison(MeasuredProblem problem, double estimated) {
        /** Relative error, positive where the estimate is longer. */
        double error() {
            return estimated / problem.nanos() - 1;
        }
    }

    /** An operator of one shape, whichever problem it is in. */
    private record Shape(OperatorKind kind, String shape) {}

    /** The curves that all problems together make. */
    Efficiency fit(List<MeasuredProblem> problems, String machine, LinkCosts links, Efficiency.ExpectedError error) {
        return fit(problems, Set.of(), machine, links, error);
    }

    private Efficiency fit(
            List<MeasuredProblem> problems,
            Set<Shape> without,
            String machine,
            LinkCosts links,
            Efficiency.ExpectedError error) {
        Map<OperatorKind, List<CurveFit.Sample>> samples = new HashMap<>();
        for (MeasuredProblem problem : problems) {
            for (MeasuredProblem.Launch launch : problem.launches()) {
                if (launch.alone() && !without.contains(new Shape(launch.kind(), launch.shape()))) {
                    samples.computeIfAbsent(launch.kind(), first -> new ArrayList<>())
                            .add(launch.sample());
                }
            }
        }
        Map<OperatorKind, Curve> curves = new HashMap<>();
        samples.forEach((kind, measured) -> {
            if (measured.size() >= LEAST_SAMPLES) {
                curves.put(kind, CurveFit.of(CurveFit.merged(measured), gpu.nominal()));
            }
        });
        Curve fallback = curves.isEmpty()
                ? USUAL
                : new Curve(
                        median(curves, Curve::overheadNanos),
                        median(curves, Curve::compute),
                        median(curves, Curve::memory),
                        median(curves, Curve::sharpness),
                        List.of());
        samples.forEach((kind, measured) -> curves.computeIfAbsent(
                kind, few -> CurveFit.withPoints(fallback, CurveFit.merged(measured), gpu.nominal())));
        return new Efficiency(
                gpuName, machine, curves, fallback, gap(problems, true), gap(problems, false), links, error);
    }

    private static double median(Map<OperatorKind, Curve> curves, ToDoubleFunction<Curve> of) {
        return median(curves.values().stream().mapToDouble(of).toArray());
    }

    static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /** Between operators that follow each other and have nothing beside them. */
    private static double gap(List<MeasuredProblem> problems, boolean graph) {
        List<Double> gaps = new ArrayList<>();
        for (MeasuredProblem problem : problems) {
            if (problem.run().path("use_cuda_graph").asBoolean() == graph) {
                List<MeasuredProblem.Launch> launches = problem.launches();
                for (int i = 1; i < launches.size(); i++) {
                    if (launches.get(i - 1).alone() && launches.get(i).alone()) {
                        gaps.add(Math.max(
                                0, launches.get(i).start() - launches.get(i - 1).end()));
                    }
                }
            }
        }
        return gaps.isEmpty()
                ? 0
                : median(gaps.stream().mapToDouble(Double::doubleValue).toArray());
    }

    /** Each problem against curves that no operator of any of its shapes went into. */
    List<Comparison> withoutTheirShapes(List<MeasuredProblem> problems, LinkCosts links) {
        List<Comparison> comparisons = new ArrayList<>();
        for (MeasuredProblem problem : problems) {
            Set<Shape> shapes = new HashSet<>();
            problem.launches().forEach(launch -> shapes.add(new Shape(launch.kind(), launch.shape())));
            Efficiency others = fit(problems, shapes, "", links, new Efficiency.ExpectedError(0, 0, ""));
            comparisons.add(compare(problem, others));
        }
        return comparisons;
    }

    /** Each problem against given curves. */
    List<Comparison> compare(List<MeasuredProblem> problems, Efficiency efficiency) {
        return problems.stream().map(problem -> compare(problem, efficiency)).toList();
    }

    private Comparison compare(MeasuredProblem problem, Efficiency efficiency) {
        RunConfig config = problem.config(gpuName);
        Estimator estimator = new Estimator(
                config,
                models.find(config.model()),
                (DeviceChoice.Estimate) config.device(),
                gpu,
                efficiency,
                Map.of());
        return new Comparison(
                problem, estimator.step(config.problems().getFirst()).slowest());
    }
}
