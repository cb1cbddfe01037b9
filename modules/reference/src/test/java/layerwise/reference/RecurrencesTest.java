package layerwise.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import layerwise.op.Batch;
import layerwise.op.CausalConv1d;
import layerwise.op.DeltaRule;
import layerwise.op.DeltaRuleChunkScan;
import layerwise.op.DeltaRuleUpdate;
import layerwise.op.Noise;
import layerwise.op.Operator;
import layerwise.op.PagedBatch;
import layerwise.op.SsdChunkScan;
import layerwise.op.SsdStateUpdate;
import layerwise.op.StateSpace;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Operators that carry a state from token to token: worked out by hand, and their two forms against each other. */
class RecurrencesTest {
    private static final int CHUNK = 8;

    /** Float32 results of float64 sums in another order: two roundings, with room for cancellation. */
    private static final double ROUNDING = 8 * 0x1p-24;

    /** 1 … 3 chunks, and one token less and more. */
    static IntStream lengths() {
        return IntStream.rangeClosed(1, 3 * CHUNK + 1);
    }

    private static float[] noise(int seed, long count) {
        float[] values = new float[(int) count];
        for (int i = 0; i < values.length; i++) {
            values[i] = 2 * Noise.uniform(seed, i) - 1;
        }
        return values;
    }

    private static void assertClose(List<Float> expected, List<Float> actual) {
        double rms = 0;
        for (float value : expected) {
            rms += (double) value * value;
        }
        rms = Math.sqrt(rms / expected.size());
        assertTrue(rms > 0, "nothing but zeros");
        for (int i = 0; i < expected.size(); i++) {
            float value = expected.get(i);
            assertEquals(value, actual.get(i), ROUNDING * (rms + Math.abs(value)), "element " + i);
        }
    }

    @Test
    void convolutionSeesStateThenInputsAndKeepsTheLastOnes() {
        try (Bench bench = new Bench()) {
            // One channel, K = 3, one sequence that has a past: its last inputs were 10 and 20.
            PagedBatch paged = bench.paged(new Batch(List.of(2), List.of(5)), 8);
            TensorRef x = bench.floats("x", Shape.of(2, 1), 30, 40);
            TensorRef w = bench.floats("w", Shape.of(1, 3), 1, 0.1f, 0.01f);
            TensorRef bias = bench.floats("bias", Shape.of(1), -5);
            TensorRef state = bench.floats("state", Shape.of(1, 1, 2), 10, 20);
            TensorRef y = bench.poisoned("y", DType.F32, 2, 1);
            bench.run(new CausalConv1d(x, w, Optional.of(bias), state, y, paged));
            double first = -5 + 10 + 2 + 0.3;
            double second = -5 + 20 + 3 + 0.4;
            float[] expected = {(float) (first / (1 + Math.exp(-first))), (float) (second / (1 + Math.exp(-second)))};
            assertArrayEquals(expected, bench.read(y), 1e-5f);
            assertArrayEquals(new float[] {30, 40}, bench.read(state));
        }
    }

    @Test
    void convolutionWithoutPastIgnoresWhatTheStateHolds() {
        try (Bench bench = new Bench()) {
            PagedBatch paged = bench.paged(new Batch(List.of(1), List.of(0)), 8);
            TensorRef x = bench.floats("x", Shape.of(1, 1), 3);
            TensorRef w = bench.floats("w", Shape.of(1, 4), 7, 7, 7, 1);
            TensorRef state = bench.poisoned("state", DType.F32, 1, 1, 3);
            TensorRef y = bench.poisoned("y", DType.F32, 1, 1);
            bench.run(new CausalConv1d(x, w, Optional.empty(), state, y, paged));
            assertArrayEquals(new float[] {(float) (3 / (1 + Math.exp(-3)))}, bench.read(y), 1e-6f);
            assertArrayEquals(new float[] {0, 0, 3}, bench.read(state));
        }
    }

    @Test
    void convolutionInPiecesIsConvolutionAtOnce() {
        int channels = 5;
        float[] inputs = noise(1, 11L * channels);
        List<float[]> outputs = new ArrayList<>();
        for (List<Integer> pieces : List.of(List.of(11), List.of(1, 1, 4, 5), List.of(3, 8))) {
            float[] all = new float[inputs.length];
            float[] carried = new float[channels * 3];
            int past = 0;
            for (int length : pieces) {
                try (Bench bench = new Bench()) {
                    PagedBatch paged = bench.paged(new Batch(List.of(length), List.of(past)), 8);
                    float[] part = Arrays.copyOfRange(inputs, past * channels, (past + length) * channels);
                    TensorRef x = bench.floats("x", Shape.of(length, channels), part);
                    TensorRef w = bench.floats("w", Shape.of(channels, 4), noise(2, channels * 4L));
                    TensorRef state = bench.floats("state", Shape.of(1, channels, 3), carried);
                    TensorRef y = bench.poisoned("y", DType.F32, length, channels);
                    bench.run(new CausalConv1d(x, w, Optional.empty(), state, y, paged));
                    System.arraycopy(bench.read(y), 0, all, past * channels, part.length);
                    carried = bench.read(state);
                }
                past += length;
            }
            outputs.add(all);
        }
        assertArrayEquals(outputs.get(0), outputs.get(1));
        assertArrayEquals(outputs.get(0), outputs.get(2));
    }

    @Test
    void stateSpaceStepDecaysAddsAndReads() {
        try (Bench bench = new Bench()) {
            PagedBatch paged = bench.paged(new Batch(List.of(1), List.of(1)), 8);
            // softplus(0 + ln(e − 1)) = 1, A = −exp(ln 2) = −2: the state decays by e⁻².
            StateSpace ssm = new StateSpace(
                    bench.floats("x", Shape.of(1, 1, 2), 3, -1),
                    bench.floats("b", Shape.of(1, 1, 2), 1, 10),
                    bench.floats("c", Shape.of(1, 1, 2), 2, 1),
                    bench.floats("dt", Shape.of(1, 1), 0),
                    bench.floats("aLog", Shape.of(1), (float) Math.log(2)),
                    bench.floats("dtBias", Shape.of(1), (float) Math.log(Math.E - 1)),
                    bench.floats("d", Shape.of(1), 0.5f),
                    bench.floats("state", Shape.of(1, 1, 2, 2), 1, 2, 3, 4),
                    bench.poisoned("y", DType.F32, 1, 1, 2),
                    paged);
            bench.run(new SsdStateUpdate(ssm));
            double decay = Math.exp(-2);
            double[] s = {decay + 3, 2 * decay + 30, 3 * decay - 1, 4 * decay - 10};
            assertArrayEquals(
                    new float[] {(float) s[0], (float) s[1], (float) s[2], (float) s[3]},
                    bench.read(ssm.state()),
                    1e-5f);
            assertArrayEquals(
                    new float[] {(float) (2 * s[0] + s[1] + 1.5), (float) (2 * s[2] + s[3] - 0.5)},
                    bench.read(ssm.y()),
                    1e-5f);
        }
    }

    @Test
    void deltaRuleStepReplacesTheValueOfAKey() {
        try (Bench bench = new Bench()) {
            PagedBatch paged = bench.paged(new Batch(List.of(1), List.of(1)), 8);
            // b is so large that β = 1, a so small that nothing decays: reading the key gives the value back.
            DeltaRule rule = new DeltaRule(
                    bench.floats("q", Shape.of(1, 1, 2), 0.6f, 0.8f),
                    bench.floats("k", Shape.of(1, 1, 2), 0.6f, 0.8f),
                    bench.floats("v", Shape.of(1, 1, 3), 7, -2, 0.25f),
                    bench.floats("a", Shape.of(1, 1), -100),
                    bench.floats("b", Shape.of(1, 1), 100),
                    bench.floats("aLog", Shape.of(1), 0),
                    bench.floats("dtBias", Shape.of(1), 0),
                    bench.floats("state", Shape.of(1, 1, 2, 3), 1, 2, 3, 4, 5, 6),
                    bench.poisoned("out", DType.F32, 1, 1, 3),
                    paged,
                    0.5);
            bench.run(new DeltaRuleUpdate(rule));
            assertArrayEquals(new float[] {3.5f, -1, 0.125f}, bench.read(rule.out()), 1e-6f);
            // What is orthogonal to the key stays: (0.8, −0.6)·S.
            float[] s = bench.read(rule.state());
            for (int d = 0; d < 3; d++) {
                assertEquals(0.8 * (1 + d) - 0.6 * (4 + d), 0.8 * s[d] - 0.6 * s[3 + d], 1e-6);
            }
        }
    }

    @Test
    void deltaRuleStepDecaysBeforeItCorrects() {
        try (Bench bench = new Bench()) {
            PagedBatch paged = bench.paged(new Batch(List.of(1), List.of(1)), 8);
            // One key and one value: β = 1/2, decay e^(−exp(0)·softplus(0)) = 1/2.
            DeltaRule rule = new DeltaRule(
                    bench.floats("q", Shape.of(1, 1, 1), 1),
                    bench.floats("k", Shape.of(1, 1, 1), 1),
                    bench.floats("v", Shape.of(1, 1, 1), 10),
                    bench.floats("a", Shape.of(1, 1), 0),
                    bench.floats("b", Shape.of(1, 1), 0),
                    bench.floats("aLog", Shape.of(1), 0),
                    bench.floats("dtBias", Shape.of(1), 0),
                    bench.floats("state", Shape.of(1, 1, 1, 1), 8),
                    bench.poisoned("out", DType.F32, 1, 1, 1),
                    paged,
                    1);
            bench.run(new DeltaRuleUpdate(rule));
            assertArrayEquals(new float[] {4 + 0.5f * (10 - 4)}, bench.read(rule.out()), 1e-6f);
        }
    }

    private record Outcome(List<Float> out, List<Float> state) {}

    private static List<Float> boxed(float[] values) {
        List<Float> all = new ArrayList<>();
        for (float value : values) {
            all.add(value);
        }
        return all;
    }

    private static Outcome stateSpace(boolean chunked, Batch batch, float[] state) {
        try (Bench bench = new Bench()) {
            int t = batch.tokens();
            StateSpace ssm = new StateSpace(
                    bench.floats("x", Shape.of(t, 4, 3), noise(1, t * 12L)),
                    bench.floats("b", Shape.of(t, 2, 5), noise(2, t * 10L)),
                    bench.floats("c", Shape.of(t, 2, 5), noise(3, t * 10L)),
                    bench.floats("dt", Shape.of(t, 4), noise(4, t * 4L)),
                    bench.floats("aLog", Shape.of(4), noise(5, 4)),
                    bench.floats("dtBias", Shape.of(4), noise(6, 4)),
                    bench.floats("d", Shape.of(4), noise(7, 4)),
                    bench.floats("state", Shape.of(batch.sequences(), 4, 3, 5), state),
                    bench.poisoned("y", DType.F32, t, 4, 3),
                    bench.paged(batch, 8));
            bench.run(chunked ? new SsdChunkScan(ssm, CHUNK) : new SsdStateUpdate(ssm));
            return new Outcome(boxed(bench.read(ssm.y())), boxed(bench.read(ssm.state())));
        }
    }

    private static Outcome deltaRule(boolean chunked, Batch batch, float[] state) {
        try (Bench bench = new Bench()) {
            int t = batch.tokens();
            float[] keys = unitRows(noise(2, t * 10L), 5);
            DeltaRule rule = new DeltaRule(
                    bench.floats("q", Shape.of(t, 2, 5), unitRows(noise(1, t * 10L), 5)),
                    bench.floats("k", Shape.of(t, 2, 5), keys),
                    bench.floats("v", Shape.of(t, 4, 3), noise(3, t * 12L)),
                    bench.floats("a", Shape.of(t, 4), noise(4, t * 4L)),
                    bench.floats("b", Shape.of(t, 4), noise(5, t * 4L)),
                    bench.floats("aLog", Shape.of(4), noise(6, 4)),
                    bench.floats("dtBias", Shape.of(4), noise(7, 4)),
                    bench.floats("state", Shape.of(batch.sequences(), 4, 5, 3), state),
                    bench.poisoned("out", DType.F32, t, 4, 3),
                    bench.paged(batch, 8),
                    0.3);
            Operator op = chunked ? new DeltaRuleChunkScan(rule, CHUNK) : new DeltaRuleUpdate(rule);
            bench.run(op);
            return new Outcome(boxed(bench.read(rule.out())), boxed(bench.read(rule.state())));
        }
    }

    private static float[] unitRows(float[] values, int width) {
        for (int row = 0; row < values.length; row += width) {
            double squares = 0;
            for (int i = row; i < row + width; i++) {
                squares += values[i] * values[i];
            }
            for (int i = row; i < row + width; i++) {
                values[i] /= (float) Math.sqrt(squares);
            }
        }
        return values;
    }

    @ParameterizedTest
    @MethodSource("lengths")
    void chunkedStateSpaceIsTheRecurrence(int length) {
        // A fresh sequence and one that goes on, of other lengths.
        Batch batch = new Batch(List.of(length, 2 * CHUNK + 1 - length % CHUNK), List.of(0, 9));
        float[] state = noise(8, 2 * 60L);
        Outcome recurrent = stateSpace(false, batch, state);
        Outcome chunked = stateSpace(true, batch, state);
        assertClose(recurrent.out(), chunked.out());
        assertClose(recurrent.state(), chunked.state());
    }

    @ParameterizedTest
    @MethodSource("lengths")
    void chunkedDeltaRuleIsTheRecurrence(int length) {
        Batch batch = new Batch(List.of(length, 2 * CHUNK + 1 - length % CHUNK), List.of(0, 9));
        float[] state = noise(8, 2 * 60L);
        Outcome recurrent = deltaRule(false, batch, state);
        Outcome chunked = deltaRule(true, batch, state);
        assertClose(recurrent.out(), chunked.out());
        assertClose(recurrent.state(), chunked.state());
    }

    @Test
    void sequencesWithoutPastStartFromZero() {
        Batch batch = new Batch(List.of(3, 10), List.of(0, 0));
        float[] zeros = new float[120];
        float[] garbage = noise(9, 120);
        for (boolean chunked : new boolean[] {false, true}) {
            assertEquals(stateSpace(chunked, batch, zeros), stateSpace(chunked, batch, garbage));
            assertEquals(deltaRule(chunked, batch, zeros), deltaRule(chunked, batch, garbage));
        }
    }
}
