package layerwise.bench.calibration;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import layerwise.op.Program;
import layerwise.op.Step;
import layerwise.trace.Markers;

/** Puts a range around the steps of each layer; the norm between two layers belongs to the later, the last one to the last layer. */
final class LayerRanges {
    /** How the buffers of a layer are named. */
    private static final Pattern OWNER = Pattern.compile("layers\\.(\\d+)\\..*");

    private LayerRanges() {}

    static Program around(Program program, Set<Integer> layers) {
        List<Step> steps = new ArrayList<>();
        OptionalInt current = OptionalInt.empty();
        int depth = 0;
        for (int i = 0; i < program.steps().size(); i++) {
            Step step = program.steps().get(i);
            if (depth == 0) {
                OptionalInt owner = owner(program.steps(), i);
                if (owner.isPresent() && layers.contains(owner.getAsInt()) && !owner.equals(current)) {
                    if (current.isPresent()) {
                        steps.add(new Step.Leave());
                    }
                    steps.add(new Step.Enter(Markers.layer(owner.getAsInt())));
                    current = owner;
                }
            }
            switch (step) {
                case Step.Enter enter -> depth++;
                case Step.Leave leave -> depth--;
                case Step.Fork fork -> depth++;
                case Step.Join join -> depth--;
                case Step.Launch launch -> {}
            }
            steps.add(step);
        }
        if (current.isPresent()) {
            steps.add(new Step.Leave());
        }
        return new Program(steps, program.outputs());
    }

    /** The layer whose buffer the first launch from here on writes. */
    private static OptionalInt owner(List<Step> steps, int from) {
        for (Step step : steps.subList(from, steps.size())) {
            if (step instanceof Step.Launch launch
                    && !launch.operator().outputs().isEmpty()) {
                Matcher name = OWNER.matcher(
                        launch.operator().outputs().getFirst().buffer().name());
                return name.matches() ? OptionalInt.of(Integer.parseInt(name.group(1))) : OptionalInt.empty();
            }
        }
        return OptionalInt.empty();
    }
}
