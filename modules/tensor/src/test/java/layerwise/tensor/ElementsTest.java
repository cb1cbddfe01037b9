package layerwise.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ElementsTest {
    private static final long SEED = 20_260_104;
    private static final int N = 70;

    private static MemorySegment randomBytes(DType dtype) {
        byte[] bytes = new byte[(int) dtype.bytes(N) + 1];
        new SplittableRandom(SEED).nextBytes(bytes);
        // One byte in, so that wide elements are unaligned, as in files.
        return MemorySegment.ofArray(bytes).asSlice(1);
    }

    @ParameterizedTest
    @EnumSource
    void runsReadWhatSingleElementsRead(DType dtype) {
        MemorySegment memory = randomBytes(dtype);
        for (int first = 0; first < 5; first++) {
            for (int count = 0; first + count <= N; count++) {
                float[] run = new float[count + 2];
                Elements.read(memory, dtype, first, run, 1, count);
                float[] single = new float[count + 2];
                for (int i = 0; i < count; i++) {
                    single[i + 1] = Elements.get(memory, dtype, first + i);
                }
                assertArrayEquals(single, run);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void runsWriteWhatSingleElementsWriteAndNothingBeside(DType dtype) {
        SplittableRandom random = new SplittableRandom(SEED);
        float[] values = new float[N];
        for (int i = 0; i < N; i++) {
            values[i] = (float) random.nextDouble(dtype == DType.UE8M0 ? 0 : -9, 9);
        }
        for (int first = 0; first < 5; first++) {
            for (int count = 0; first + count <= N; count++) {
                MemorySegment run = randomBytes(dtype);
                Elements.write(run, dtype, first, values, first, count);
                MemorySegment single = randomBytes(dtype);
                for (int i = first; i < first + count; i++) {
                    Elements.set(single, dtype, i, values[i]);
                }
                assertEquals(-1, single.mismatch(run), "first %d count %d".formatted(first, count));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void runsBeyondEitherEndAreRefused(DType dtype) {
        MemorySegment memory = randomBytes(dtype);
        float[] values = new float[N + 2];
        assertThrows(
                IndexOutOfBoundsException.class, () -> Elements.read(memory, dtype, 0, values, 0, N + 1 + N % 2 + 1));
        assertThrows(IndexOutOfBoundsException.class, () -> Elements.read(memory, dtype, -2, values, 0, 4));
        assertThrows(IndexOutOfBoundsException.class, () -> Elements.read(memory, dtype, 0, values, N, 4));
        assertThrows(IndexOutOfBoundsException.class, () -> Elements.write(memory, dtype, N - 1, values, 0, 4));
        assertThrows(IndexOutOfBoundsException.class, () -> Elements.write(memory, dtype, 0, values, -1, 4));
    }

    @Test
    void float4LivesInTheLowNibbleFirst() {
        MemorySegment memory = MemorySegment.ofArray(new byte[] {0x72});
        assertEquals(1, Elements.get(memory, DType.E2M1, 0));
        assertEquals(6, Elements.get(memory, DType.E2M1, 1));
    }

    @Test
    void integersRoundTiesToEvenAndSaturate() {
        MemorySegment memory = MemorySegment.ofArray(new byte[8]);
        float[] given = {0.5f, 1.5f, -0.5f, -2.5f, 300, -300, 3e9f};
        float[] bytes = {0, 2, 0, -2, 127, -128, 127};
        float[] ints = {0, 2, 0, -2, 300, -300, Integer.MAX_VALUE};
        for (int i = 0; i < given.length; i++) {
            Elements.set(memory, DType.I8, 0, given[i]);
            assertEquals(bytes[i], Elements.get(memory, DType.I8, 0), Arrays.toString(given));
            Elements.set(memory, DType.I32, 0, given[i]);
            assertEquals(ints[i], Elements.get(memory, DType.I32, 0), Arrays.toString(given));
        }
    }

    @Test
    void integersAreKeptWholeAndFloatsAreNotIntegers() {
        MemorySegment memory = MemorySegment.ofArray(new int[] {16_777_217});
        assertEquals(16_777_217, Elements.getInt(memory, DType.I32, 0));
        Elements.setInt(memory, DType.I32, 0, -16_777_217);
        assertEquals(-16_777_217, Elements.getInt(memory, DType.I32, 0));
        Elements.setInt(memory, DType.I8, 0, 0x1FE);
        assertEquals(-2, Elements.getInt(memory, DType.I8, 0));
        assertThrows(IllegalArgumentException.class, () -> Elements.getInt(memory, DType.F32, 0));
        assertThrows(IllegalArgumentException.class, () -> Elements.setInt(memory, DType.F32, 0, 1));
    }
}
