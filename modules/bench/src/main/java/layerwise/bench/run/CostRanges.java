package layerwise.bench.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import layerwise.estimate.Bound;
import layerwise.estimate.GpuFacts;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.Step;
import layerwise.op.Work;
import layerwise.trace.CostRecord;
import layerwise.trace.Markers;

/** Puts a range with each operator's least work around its launch, so that the work travels in the trace. */
public final class CostRanges {
    private CostRanges() {}

    /**
     * The program with its ranges.
     *
     * @param gpu whose rates the limits follow from; without it they are unknown
     */
    public static Program around(Program program, Optional<GpuFacts> gpu) {
        List<Step> steps = new ArrayList<>();
        for (Step step : program.steps()) {
            if (step instanceof Step.Launch launch) {
                steps.add(new Step.Enter(Markers.cost(of(launch.operator(), gpu))));
                steps.add(step);
                steps.add(new Step.Leave());
            } else {
                steps.add(step);
            }
        }
        return new Program(steps, program.outputs());
    }

    /** What one operator costs at least. */
    public static CostRecord of(Operator operator, Optional<GpuFacts> gpu) {
        Work work = gpu.map(facts -> facts.work(operator)).orElseGet(operator::work);
        return new CostRecord(
                operator.name(),
                operator.label(),
                work.arithmetic().name().toLowerCase(Locale.ROOT),
                work.flops(),
                work.bytes(),
                work.linkBytes(),
                gpu.flatMap(facts -> facts.nominal().bound(work))
                        .map(Bound::toString)
                        .orElse(""),
                gpu.map(facts -> facts.nominal().nanos(work)).orElse(Double.NaN),
                gpu.flatMap(GpuFacts::measured).map(rates -> rates.nanos(work)).orElse(Double.NaN));
    }
}
