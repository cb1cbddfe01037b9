package layerwise.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import layerwise.tensor.DType;
import org.junit.jupiter.api.Test;

/** Rows in E4M3: how they lie, which products take them, what their operators cost. */
class RoundedActivationsTest {
    private static final ExpertLoad LOAD = new ExpertLoad(6, 2);

    private static TensorRef bf16(String name, long... dims) {
        return Buffer.of(name, DType.BF16, dims).whole();
    }

    private static TensorRef i32(String name, long... dims) {
        return Buffer.of(name, DType.I32, dims).whole();
    }

    private static Weight experts(long n, long k) {
        TensorRef scales = Buffer.of("s", DType.F32, 2, Math.ceilDiv(n, 128), Math.ceilDiv(k, 128))
                .whole();
        return new Weight(
                Buffer.of("w", DType.E4M3, 2, n, k).whole(), new Scaling.Block(scales, 128, 128, ScaleFormat.UE8M0));
    }

    @Test
    void tensorMapsTakeThemAsTheyLie() {
        Activations rows = Activations.rounded("rows", 5, 208);
        assertEquals(
                List.of("rows", "rows_scales"),
                rows.tensors().stream().map(t -> t.buffer().name()).toList());
        TensorRef scales = rows.scales().orElseThrow();
        assertEquals(2, scales.dim(1));
        assertEquals(Strides.of(1, 8), scales.strides());
        assertEquals(3 * (208 + 2 * 4), rows.bytes(3));
        assertThrows(IllegalArgumentException.class, () -> Activations.rounded("rows", 5, 200), "half a vector");
        TensorRef dense = Buffer.of("s", DType.F32, 5, 2).whole();
        assertThrows(
                IllegalArgumentException.class,
                () -> new Activations(rows.data(), Optional.of(dense)),
                "scales of a row side by side");
        TensorRef odd = Buffer.of("s", DType.F32, 2, 5).whole().transposed();
        assertThrows(IllegalArgumentException.class, () -> new Activations(rows.data(), Optional.of(odd)));
    }

    @Test
    void productsTakeWhatTheirWeightsWant() {
        Activations rounded = Activations.rounded("x", 6, 256);
        Activations plain = Activations.plain(bf16("x", 6, 256));
        TensorRef offsets = i32("offsets", 3);
        Weight fp8 = experts(128, 256);
        GroupedLinear product = new GroupedLinear(rounded, offsets, fp8, bf16("y", 6, 128), LOAD);
        assertEquals(Arithmetic.FP8, product.work().arithmetic());
        assertEquals(6 * (256 + 8) + fp8.bytes() + 2 * 6 * 128, product.work().bytes());
        assertTrue(product.inputs().containsAll(rounded.tensors()));
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class, () -> new GroupedLinear(plain, offsets, fp8, bf16("y", 6, 128), LOAD));
        assertEquals("GroupedLinear: expected rounded rows for w E4M3[2,128,256]: x BF16[6,256]", e.getMessage());
        Weight bf16 = Weight.plain(bf16("w", 2, 128, 256));
        assertThrows(
                IllegalArgumentException.class,
                () -> new GatedGroupedLinear(rounded, offsets, bf16, bf16("y", 6, 64), LOAD));
        // Float32 rows are multiplied as they are.
        Activations wide = Activations.plain(Buffer.of("x", DType.F32, 6, 256).whole());
        assertEquals(
                Arithmetic.BF16,
                new GroupedLinear(wide, offsets, fp8, bf16("y", 6, 128), LOAD)
                        .work()
                        .arithmetic());
    }

    @Test
    void codesAndScalesAreCounted() {
        Activations tokens = Activations.rounded("x", 3, 208);
        Activations rows = Activations.rounded("y", 6, 208);
        assertEquals(
                2 * 216 + 4 * 2 + 2 * 216,
                new GatherRows(tokens, i32("pairs", 6), rows, 2, 2).work().bytes());
        assertThrows(
                IllegalArgumentException.class,
                () -> new GatherRows(Activations.plain(bf16("x", 3, 208)), i32("pairs", 6), rows, 2, 2));
        RoundRows rounding = new RoundRows(bf16("v", 6, 208), Optional.empty(), rows, ScaleFormat.FLOAT32, 4);
        assertEquals(4 * (2 * 208 + 216), rounding.work().bytes());
        assertEquals(2 * 4 * 208, rounding.work().flops());
        Optional<TensorRef> active = Optional.of(i32("offsets", 3));
        SwiGluRoundRows fused = new SwiGluRoundRows(bf16("both", 6, 416), active, rows, ScaleFormat.FLOAT32, 4);
        SwiGlu gate = new SwiGlu(bf16("both", 6, 416), active, bf16("v", 6, 208), 4);
        assertEquals(gate.work().flops() + rounding.work().flops(), fused.work().flops());
        // The result in bfloat16 is neither written nor read.
        assertEquals(
                gate.work().bytes() + rounding.work().bytes() - 2 * 4 * 2 * 208,
                fused.work().bytes());
        assertThrows(
                IllegalArgumentException.class,
                () -> new RoundRows(bf16("v", 6, 208), Optional.empty(), rows, ScaleFormat.FLOAT32, 7));
    }
}
