package layerwise.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import java.util.Random;
import layerwise.op.Activations;
import layerwise.op.Buffer;
import layerwise.op.ExpertLoad;
import layerwise.op.GatherRows;
import layerwise.op.GroupedLinear;
import layerwise.op.Linear;
import layerwise.op.RoundRows;
import layerwise.op.ScaleFormat;
import layerwise.op.Scaling;
import layerwise.op.SwiGlu;
import layerwise.op.SwiGluRoundRows;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.tensor.DType;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rows rounded to E4M3 earlier or later, alone or with what comes before: the same bits. */
class RoundedRowsTest {
    private static final int WIDTH = 208;

    private final Bench bench = new Bench();

    @AfterEach
    void close() {
        bench.close();
    }

    private static float[] noise(long seed, int count) {
        Random random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian() * Math.scalb(1f, random.nextInt(8));
        }
        return values;
    }

    private TensorRef bf16(String name, int rows, int width) {
        return bench.rounded(name, DType.BF16, Shape.of(rows, width), noise(name.hashCode(), rows * width));
    }

    /** Rounded rows, not numbers yet. */
    private Activations rounded(String name, long rows) {
        Activations rounded = Activations.rounded(name, rows, WIDTH);
        for (TensorRef part : rounded.tensors()) {
            Buffer buffer = part.buffer();
            bench.poisoned(buffer.name(), buffer.dtype(), buffer.shape().dims());
        }
        return rounded;
    }

    private void assertSame(Activations a, Activations b) {
        for (int part = 0; part < 2; part++) {
            assertArrayEquals(
                    bench.read(a.tensors().get(part)), bench.read(b.tensors().get(part)));
        }
    }

    @ParameterizedTest
    @EnumSource(ScaleFormat.class)
    void roundingBeforeGatheringIsRoundingAfterIt(ScaleFormat format) {
        TensorRef x = bf16("x", 3, WIDTH);
        TensorRef pairs = bench.ints("pairs", Shape.of(6), 4, 0, 5, 2, -1, -1);
        TensorRef rows = bench.poisoned("rows", DType.BF16, 6, WIDTH);
        Optional<TensorRef> active = Optional.of(bench.ints("offsets", Shape.of(3), 0, 2, 4));
        Activations tokens = rounded("tokens", 3);
        Activations early = rounded("early", 6);
        Activations late = rounded("late", 6);
        bench.run(
                new RoundRows(x, Optional.empty(), tokens, format, 3),
                new GatherRows(tokens, pairs, early, 2, 4),
                new GatherRows(Activations.plain(x), pairs, Activations.plain(rows), 2, 4),
                new RoundRows(rows, active, late, format, 4));
        assertSame(early, late);
        assertTrue(Float.isNaN(bench.read(early.data())[4 * WIDTH]), "rows without a pair are left");
        assertTrue(Float.isNaN(bench.read(early.scales().orElseThrow())[4 * 2]));
    }

    @ParameterizedTest
    @EnumSource(ScaleFormat.class)
    void roundingInTheGateIsRoundingAfterIt(ScaleFormat format) {
        TensorRef x = bf16("both", 4, 2 * WIDTH);
        Optional<TensorRef> active = Optional.of(bench.ints("offsets", Shape.of(3), 0, 2, 3));
        TensorRef gated = bench.poisoned("gated", DType.BF16, 4, WIDTH);
        Activations apart = rounded("apart", 4);
        Activations fused = rounded("fused", 4);
        bench.run(
                new SwiGlu(x, active, gated, 3),
                new RoundRows(gated, active, apart, format, 3),
                new SwiGluRoundRows(x, active, fused, format, 3));
        assertSame(apart, fused);
        assertFalse(Float.isNaN(bench.read(fused.scales().orElseThrow())[2 * 2]));
        assertTrue(Float.isNaN(bench.read(fused.scales().orElseThrow())[3 * 2]), "row 3 is not in use");
    }

    @ParameterizedTest
    @EnumSource(ScaleFormat.class)
    void aProductOverRoundedRowsIsOneThatRounds(ScaleFormat format) {
        TensorRef x = bf16("x", 5, WIDTH);
        TensorRef codes = bench.rounded("w", DType.E4M3, Shape.of(1, 24, WIDTH), noise(8, 24 * WIDTH));
        TensorRef scales = bench.floats("scales", Shape.of(1, 1, 2), 0.5f, 0.75f);
        Weight expert = new Weight(codes, new Scaling.Block(scales, 128, 128, format));
        Weight dense = new Weight(
                bench.rounded("v", DType.E4M3, Shape.of(24, WIDTH), noise(8, 24 * WIDTH)),
                new Scaling.Block(bench.floats("t", Shape.of(1, 2), 0.5f, 0.75f), 128, 128, format));
        Activations rounded = rounded("rounded", 5);
        TensorRef offsets = bench.ints("offsets", Shape.of(2), 0, 5);
        TensorRef grouped = bench.poisoned("grouped", DType.BF16, 5, 24);
        TensorRef y = bench.poisoned("y", DType.BF16, 5, 24);
        bench.run(
                new RoundRows(x, Optional.empty(), rounded, format, 5),
                new GroupedLinear(rounded, offsets, expert, grouped, new ExpertLoad(5, 1)),
                new Linear(x, dense, y));
        assertArrayEquals(bench.read(y), bench.read(grouped));
    }
}
