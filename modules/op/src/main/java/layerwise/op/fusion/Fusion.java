package layerwise.op.fusion;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import layerwise.op.Add;
import layerwise.op.AddRmsNorm;
import layerwise.op.Buffer;
import layerwise.op.Capabilities;
import layerwise.op.Combine;
import layerwise.op.FusionRule;
import layerwise.op.GatedGroupedLinear;
import layerwise.op.GroupedLinear;
import layerwise.op.GroupedLinearCombine;
import layerwise.op.LatentAppend;
import layerwise.op.MlaRopeAppend;
import layerwise.op.Operator;
import layerwise.op.PackedLatent;
import layerwise.op.Program;
import layerwise.op.RmsNorm;
import layerwise.op.Rotary;
import layerwise.op.RoundRows;
import layerwise.op.SortByExpert;
import layerwise.op.Step;
import layerwise.op.SwiGlu;
import layerwise.op.SwiGluRoundRows;
import layerwise.op.TensorRef;

/**
 * Rewrites neighbouring plain operators to the fused ones that an executor asks for.
 *
 * <p>Operators fuse when they follow each other on one lane within one range, and what passes between them is read by
 * nobody else or is an output of the fused operator, too. The rules are tried at each place in the order of {@link
 * FusionRule}, until none fits.
 */
public final class Fusion {
    private final Program program;
    private final Map<Buffer, Integer> readers = new HashMap<>();

    private Fusion(Program program) {
        this.program = program;
        program.operators().forEach(operator -> operator.inputs().forEach(this::countReader));
        program.outputs().forEach(this::countReader);
    }

    private void countReader(TensorRef tensor) {
        readers.merge(tensor.buffer(), 1, Integer::sum);
    }

    /** The program with every rewriting that {@code capabilities} ask for. */
    public static Program apply(Program program, Capabilities capabilities) {
        Program current = program;
        for (FusionRule rule : FusionRule.values()) {
            if (capabilities.fusions().contains(rule)) {
                current = new Fusion(current).apply(rule);
            }
        }
        return current;
    }

    private Program apply(FusionRule rule) {
        List<Step> steps = program.steps();
        List<Step> fused = new ArrayList<>();
        int at = 0;
        while (at < steps.size()) {
            List<Operator> run = launchesFrom(steps, at);
            Optional<Fused> match = run.isEmpty() ? Optional.empty() : match(rule, run);
            if (match.isPresent() && steps.get(at) instanceof Step.Launch launch) {
                fused.add(new Step.Launch(match.get().operator(), launch.lane()));
                at += match.get().replaced();
            } else {
                fused.add(steps.get(at++));
            }
        }
        return new Program(fused, program.outputs());
    }

    /** The operators that follow each other from one step on, without another kind of step or lane between. */
    private static List<Operator> launchesFrom(List<Step> steps, int first) {
        List<Operator> run = new ArrayList<>();
        for (int i = first; i < steps.size(); i++) {
            if (steps.get(i) instanceof Step.Launch launch
                    && steps.get(first) instanceof Step.Launch start
                    && launch.lane() == start.lane()) {
                run.add(launch.operator());
            } else {
                break;
            }
        }
        return run;
    }

    private record Fused(Operator operator, int replaced) {}

    private Optional<Fused> match(FusionRule rule, List<Operator> run) {
        return switch (rule) {
            case ADD_RMS_NORM -> addRmsNorm(run);
            case MLA_ROPE_APPEND -> mlaRopeAppend(run);
            case GATED_GROUPED_LINEAR -> gatedGroupedLinear(run);
            case SWI_GLU_ROUND_ROWS -> swiGluRoundRows(run);
            case GROUPED_LINEAR_COMBINE -> groupedLinearCombine(run);
        };
    }

    private static Optional<Fused> addRmsNorm(List<Operator> run) {
        if (run.size() >= 2
                && run.get(0) instanceof Add add
                && run.get(1) instanceof RmsNorm norm
                && norm.x().equals(add.y())) {
            return Optional.of(
                    new Fused(new AddRmsNorm(add.a(), add.b(), norm.gain(), add.y(), norm.y(), norm.epsilon()), 2));
        }
        return Optional.empty();
    }

    private static Optional<Fused> mlaRopeAppend(List<Operator> run) {
        if (run.size() >= 4
                && run.get(0) instanceof RmsNorm norm
                && run.get(1) instanceof Rotary query
                && run.get(2) instanceof Rotary key
                && run.get(3) instanceof LatentAppend append
                && append.latent().equals(norm.y())
                && key.y().dim(1) == 1
                && append.key().equals(key.y().joinLast())
                && !PackedLatent.holds(append.cache())) {
            return Optional.of(new Fused(new MlaRopeAppend(query, key, norm, append), 4));
        }
        return Optional.empty();
    }

    private Optional<Fused> gatedGroupedLinear(List<Operator> run) {
        if (run.size() >= 2
                && run.get(0) instanceof GroupedLinear linear
                && run.get(1) instanceof SwiGlu gate
                && gate.x().equals(linear.y())
                && readers.get(linear.y().buffer()) == 1) {
            return Optional.of(new Fused(
                    new GatedGroupedLinear(linear.x(), linear.offsets(), linear.w(), gate.y(), linear.load()), 2));
        }
        return Optional.empty();
    }

    private Optional<Fused> swiGluRoundRows(List<Operator> run) {
        if (run.size() >= 2
                && run.get(0) instanceof SwiGlu gate
                && run.get(1) instanceof RoundRows rounding
                && rounding.x().equals(gate.y())
                && rounding.active().equals(gate.active())
                && rounding.rows() == gate.rows()
                && readers.get(gate.y().buffer()) == 1) {
            return Optional.of(new Fused(
                    new SwiGluRoundRows(gate.x(), gate.active(), rounding.y(), rounding.format(), gate.rows()), 2));
        }
        return Optional.empty();
    }

    private Optional<Fused> groupedLinearCombine(List<Operator> run) {
        if (run.size() >= 2
                && run.get(0) instanceof GroupedLinear linear
                && run.get(1) instanceof Combine combine
                && combine.x().equals(linear.y())
                && readers.get(linear.y().buffer()) == 1) {
            return sortOf(combine.slots())
                    .map(sort -> new Fused(
                            new GroupedLinearCombine(
                                    linear.x(),
                                    linear.offsets(),
                                    linear.w(),
                                    sort.pairs(),
                                    combine.slots(),
                                    combine.weights(),
                                    combine.y(),
                                    linear.load()),
                            2));
        }
        return Optional.empty();
    }

    private Optional<SortByExpert> sortOf(TensorRef slots) {
        return program.operators().stream()
                .filter(operator ->
                        operator instanceof SortByExpert sort && sort.slots().equals(slots))
                .map(SortByExpert.class::cast)
                .findFirst();
    }
}
