package layerwise.bench.verify;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import layerwise.bench.verify.MoeCase.Width;
import layerwise.op.Communicator;
import layerwise.op.Executor;
import layerwise.op.Memory;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.TensorRef;

/**
 * Runs cases on an executor, each operator beside the reference on the same inputs and the result of all beside {@link
 * MoeFormula}, and says of each how near to its tolerance it came.
 */
final class MoeRun {
    private static final long SEED = 11;
    private static final int FORMULA_TOKENS = 16;

    private final Executor device;
    private final List<String> wrong = new ArrayList<>();
    private double worst;
    private String worstCase = "";
    private int cases;

    MoeRun(Executor device) {
        this.device = device;
    }

    void check(MoeCase one) {
        long start = System.nanoTime();
        double share = 0;
        int operators = 0;
        int before = wrong.size();
        MoeStep step = new MoeStep(one);
        try (Memory memory = device.allocate();
                HostCopies constants = new HostCopies(memory)) {
            step.placeWeights(memory);
            try (Memory own = memory.nested();
                    OperatorCheck check = new OperatorCheck(
                            device, own, constants, Communicator.alone(), new SamplePlan(own, SEED))) {
                step.place(own);
                Program launched = one.path().apply(step.program(), device.capabilities());
                for (List<Operator> launches : together(launched)) {
                    Operator judged = launches.size() == 1
                            ? launches.getFirst()
                            : writer(step.program(), launches.getFirst().outputs());
                    for (VerifiedOutput output : check.check(judged, launches)) {
                        share = Math.max(share, output.comparison().worst());
                        note(one, Row.of(output));
                    }
                    operators++;
                }
                share = Math.max(share, formula(one, new MoeFormula(own, step.program(), launched)));
            }
        }
        cases++;
        if (share >= worst) {
            worst = share;
            worstCase = one.toString();
        }
        System.out.printf(
                Locale.ROOT,
                "%-78s %4d operators  %5.3f of allowed  %6.2f s  %s%n",
                one,
                operators,
                share,
                (System.nanoTime() - start) * 1e-9,
                wrong.size() == before ? "ok" : "WRONG");
    }

    private void note(MoeCase one, Row row) {
        if (!row.isRight()) {
            wrong.add(one + ": " + row.text());
        }
    }

    /** Matrices of full width are too many numbers to unpack for a few tokens. */
    private double formula(MoeCase one, MoeFormula formula) {
        if (!formula.countsAreRight()) {
            wrong.add(one + ": offsets are not the sums of the choices");
        }
        if (one.width() == Width.FULL) {
            return 0;
        }
        Comparison comparison = formula.compare(FORMULA_TOKENS);
        if (!comparison.isRight()) {
            wrong.add(
                    "%s: %d elements of the formula, first %s".formatted(one, comparison.wrong(), comparison.remark()));
        }
        return comparison.worst();
    }

    /** Launches, those that write one tensor together. */
    private static List<List<Operator>> together(Program launched) {
        Map<List<TensorRef>, List<Operator>> byOutputs = new LinkedHashMap<>();
        for (Operator operator : launched.operators()) {
            if (!MoeStep.isCarried(operator)) {
                byOutputs
                        .computeIfAbsent(operator.outputs(), outputs -> new ArrayList<>())
                        .add(operator);
            }
        }
        return List.copyOf(byOutputs.values());
    }

    private static Operator writer(Program program, List<TensorRef> outputs) {
        return program.operators().stream()
                .filter(operator -> operator.outputs().equals(outputs))
                .findFirst()
                .orElseThrow();
    }

    /** What is wrong, after a line about all cases. */
    List<String> conclude() {
        System.out.printf(
                Locale.ROOT, "%d cases, %d wrong, worst %.3f of allowed: %s%n", cases, wrong.size(), worst, worstCase);
        return List.copyOf(wrong);
    }
}
