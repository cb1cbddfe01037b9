package layerwise.bench.calibration;

import java.util.Arrays;
import java.util.List;

/** What one rank's tokens chose in one iteration. */
final class Iteration {
    private final int number;
    private final List<ExpertCall> calls;
    private final int[] slots;

    /**
     * Takes over the choices.
     *
     * @param number as the recording tool counted
     * @param calls  in the order in which they ran
     * @param slots  the chosen experts of all calls, one behind the other, each {@code [tokens, topK]} row by row
     */
    Iteration(int number, List<ExpertCall> calls, int[] slots) {
        long size = calls.stream().mapToLong(ExpertCall::size).sum();
        if (size != slots.length) {
            throw new IllegalArgumentException("%d choices for calls of %d".formatted(slots.length, size));
        }
        this.number = number;
        this.calls = List.copyOf(calls);
        this.slots = slots;
    }

    int number() {
        return number;
    }

    List<ExpertCall> calls() {
        return calls;
    }

    /** A copy of all choices. */
    int[] slots() {
        return slots.clone();
    }

    /** The calls of one layer. */
    List<ExpertCall> calls(int layer) {
        return calls.stream().filter(call -> call.layer() == layer).toList();
    }

    /** The choices of one layer's call number {@code index}. */
    int[] slots(int layer, int index) {
        int from = 0;
        int seen = 0;
        for (ExpertCall call : calls) {
            int until = from + (int) call.size();
            if (call.layer() == layer && seen++ == index) {
                return Arrays.copyOfRange(slots, from, until);
            }
            from = until;
        }
        throw new IndexOutOfBoundsException("call %d of layer %d among %s".formatted(index, layer, calls));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Iteration iteration
                && number == iteration.number
                && calls.equals(iteration.calls)
                && Arrays.equals(slots, iteration.slots);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * number + calls.hashCode()) + Arrays.hashCode(slots);
    }

    @Override
    public String toString() {
        return "iteration %d: %s".formatted(number, calls);
    }
}
