package layerwise.bench.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.Step;
import layerwise.op.Work;
import layerwise.trace.CostRecord;
import layerwise.trace.Markers;

/** Puts a range with each operator's least work around its launch, so that the work travels in the trace. */
final class CostRanges {
    private CostRanges() {}

    static Program around(Program program) {
        List<Step> steps = new ArrayList<>();
        for (Step step : program.steps()) {
            if (step instanceof Step.Launch launch) {
                steps.add(new Step.Enter(Markers.cost(record(launch.operator()))));
                steps.add(step);
                steps.add(new Step.Leave());
            } else {
                steps.add(step);
            }
        }
        return new Program(steps, program.outputs());
    }

    private static CostRecord record(Operator operator) {
        Work work = operator.work();
        return new CostRecord(
                operator.name(),
                operator.label(),
                work.arithmetic().name().toLowerCase(Locale.ROOT),
                work.flops(),
                work.bytes(),
                Double.NaN,
                Double.NaN);
    }
}
