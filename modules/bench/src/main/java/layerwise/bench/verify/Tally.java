package layerwise.bench.verify;

import java.nio.ByteBuffer;
import java.util.Set;
import java.util.TreeSet;
import layerwise.op.Rendezvous;

/** Counts of a verification, for its last line. */
final class Tally {
    private final Set<String> kinds = new TreeSet<>();
    private int problems;
    private int operators;
    private int outputs;
    private int sampled;
    private int wrong;

    /** What ranks add up. */
    record Counts(int outputs, int sampled, int wrong) {
        /** The sum over all ranks. */
        Counts of(Rendezvous ranks) {
            Counts sum = new Counts(0, 0, 0);
            byte[] own = ByteBuffer.allocate(12)
                    .putInt(outputs)
                    .putInt(sampled)
                    .putInt(wrong)
                    .array();
            for (byte[] bytes : ranks.allGather(own)) {
                ByteBuffer counts = ByteBuffer.wrap(bytes);
                sum = new Counts(
                        sum.outputs + counts.getInt(), sum.sampled + counts.getInt(), sum.wrong + counts.getInt());
            }
            return sum;
        }
    }

    void problem() {
        problems++;
    }

    void operator(String name) {
        operators++;
        kinds.add(name);
    }

    void output(VerifiedOutput output) {
        sampled += output.sample().isComplete() ? 0 : 1;
        output(output.comparison().isRight());
    }

    void output(boolean right) {
        outputs++;
        wrong += right ? 0 : 1;
    }

    Counts counts() {
        return new Counts(outputs, sampled, wrong);
    }

    /** As in {@code 9 problems, 252 operators of 14 kinds}. */
    @Override
    public String toString() {
        return "%d problems, %d operators of %d kinds".formatted(problems, operators, kinds.size());
    }
}
