package layerwise.op.fusion;

import java.util.ArrayList;
import java.util.List;
import layerwise.op.ExpertLoad;
import layerwise.op.GroupedLinear;
import layerwise.op.Program;
import layerwise.op.Step;

/** Rewrites products over experts to one product for each expert, as an engine does that loops over them. */
public final class ExpertLoop {
    private ExpertLoop() {}

    /** The program with every {@link GroupedLinear} taken apart. */
    public static Program apply(Program program) {
        List<Step> steps = new ArrayList<>();
        for (Step step : program.steps()) {
            if (step instanceof Step.Launch launch && launch.operator() instanceof GroupedLinear linear) {
                for (long e = 0; e < linear.w().data().dim(0); e++) {
                    steps.add(new Step.Launch(expert(linear, e), launch.lane()));
                }
            } else {
                steps.add(step);
            }
        }
        return new Program(steps, program.outputs());
    }

    private static GroupedLinear expert(GroupedLinear all, long e) {
        return new GroupedLinear(
                all.x(),
                all.offsets().slice(0, e, e + 2),
                all.w().expert(e),
                all.y(),
                share(all.load(), e, all.w().data().dim(0)));
    }

    /** Rows as even as they go; shares add up to the load. */
    private static ExpertLoad share(ExpertLoad load, long e, long experts) {
        long rows = load.rows() / experts + (e < load.rows() % experts ? 1 : 0);
        double active = rows == 0 ? 0 : Math.min(rows, load.activeExperts() / Math.min(experts, load.rows()));
        return new ExpertLoad(rows, active);
    }
}
