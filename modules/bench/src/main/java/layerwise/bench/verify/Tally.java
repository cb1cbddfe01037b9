package layerwise.bench.verify;

import java.util.Set;
import java.util.TreeSet;

/** Counts of a verification, for its last line. */
final class Tally {
    private final Set<String> kinds = new TreeSet<>();
    private int problems;
    private int operators;
    private int outputs;
    private int sampled;
    private int wrong;

    void problem() {
        problems++;
    }

    void operator(String name) {
        operators++;
        kinds.add(name);
    }

    void output(VerifiedOutput output) {
        outputs++;
        sampled += output.sample().isComplete() ? 0 : 1;
        wrong += output.comparison().isRight() ? 0 : 1;
    }

    int outputs() {
        return outputs;
    }

    int wrong() {
        return wrong;
    }

    /** As in {@code 9 problems, 252 operators of 14 kinds, 360 outputs, 36 of them sampled, 0 wrong: OK}. */
    @Override
    public String toString() {
        return "%d problems, %d operators of %d kinds, %d outputs, %d of them sampled, %d wrong: %s"
                .formatted(problems, operators, kinds.size(), outputs, sampled, wrong, wrong == 0 ? "OK" : "FAILED");
    }
}
