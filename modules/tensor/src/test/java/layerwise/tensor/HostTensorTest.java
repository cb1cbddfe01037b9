package layerwise.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class HostTensorTest {
    private static final long SEED = 20_260_105;

    private final Arena arena = Arena.ofConfined();

    @AfterEach
    void free() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }

    /** Element {@code i} in row-major order is {@code i}. */
    private HostTensor counting(long... dims) {
        HostTensor tensor = HostTensor.allocate(arena, DType.F32, dims);
        for (long i = 0; i < tensor.shape().elements(); i++) {
            Elements.set(tensor.memory(), DType.F32, i, (float) i);
        }
        return tensor;
    }

    @ParameterizedTest
    @EnumSource
    void allocatesZeroedAndAligned(DType dtype) {
        HostTensor tensor = HostTensor.allocate(arena, dtype, 3, 4);
        assertEquals(0, tensor.memory().address() % HostTensor.ALIGNMENT);
        assertEquals(dtype.bytes(12), tensor.memory().byteSize());
        assertEquals(-1, tensor.memory().mismatch(MemorySegment.ofArray(new byte[(int) dtype.bytes(12)])));
    }

    @Test
    void slicesShareMemoryAlongEveryAxis() {
        HostTensor tensor = counting(2, 3, 4);
        assertEquals(23, tensor.slice(0, 1, 2).slice(1, 2, 3).slice(2, 3, 4).get(0, 0, 0));
        HostTensor middle = tensor.slice(-2, 1, 2);
        assertArrayEquals(new float[] {4, 5, 6, 7, 16, 17, 18, 19}, middle.copyToFloats());
        middle.set(-1, 1, 0, 0);
        assertEquals(-1, tensor.get(1, 1, 0));
    }

    @Test
    void transposesAndReadsBackInTheNewOrder() {
        HostTensor turned = counting(2, 3).transpose(0, -1);
        assertEquals(Shape.of(3, 2), turned.shape());
        assertArrayEquals(new float[] {0, 3, 1, 4, 2, 5}, turned.copyToFloats());
        assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5}, turned.transpose(0, 1).copyToFloats());
    }

    /** Any chain of slices and transpositions reads the elements that index arithmetic says it does. */
    @Test
    void chainsOfViewsReadWhatTheirIndicesSay() {
        SplittableRandom random = new SplittableRandom(SEED);
        HostTensor whole = counting(4, 5, 3, 6);
        long[] weights = whole.strides();
        for (int round = 0; round < 300; round++) {
            HostTensor view = whole;
            int[] axes = {0, 1, 2, 3};
            long[] from = new long[4];
            for (int step = 0; step < 4; step++) {
                int axis = random.nextInt(4);
                int other = random.nextInt(4);
                if (random.nextBoolean()) {
                    view = view.transpose(axis, other);
                    int moved = axes[axis];
                    axes[axis] = axes[other];
                    axes[other] = moved;
                } else {
                    long first = random.nextLong(view.shape().dim(axis));
                    view = view.slice(
                            axis, first, random.nextLong(first + 1, view.shape().dim(axis) + 1));
                    from[axes[axis]] += first;
                }
            }
            float[] read = view.copyToFloats();
            for (int at = 0; at < read.length; at++) {
                long[] index = new long[4];
                long rest = at;
                float expected = 0;
                for (int axis = 3; axis >= 0; axis--) {
                    index[axis] = rest % view.shape().dim(axis);
                    rest /= view.shape().dim(axis);
                    expected += (float) ((from[axes[axis]] + index[axis]) * weights[axes[axis]]);
                }
                assertEquals(expected, view.get(index), "seed " + SEED + " round " + round);
                assertEquals(expected, read[at], "seed " + SEED + " round " + round);
            }
        }
    }

    @Test
    void contiguityIgnoresAxesOfExtentOne() {
        HostTensor tensor = counting(2, 4, 3);
        assertTrue(tensor.slice(0, 1, 2).isContiguous());
        assertTrue(tensor.slice(0, 1, 2).slice(1, 2, 3).isContiguous());
        assertTrue(tensor.slice(1, 0, 0).isContiguous());
        assertTrue(counting(1, 5).transpose(0, 1).isContiguous());
        assertFalse(tensor.slice(1, 0, 2).isContiguous());
        assertFalse(tensor.transpose(0, 1).isContiguous());
        assertThrows(IllegalStateException.class, () -> tensor.slice(2, 0, 2).memory());
    }

    @Test
    void contiguousSliceHasExactlyItsOwnMemory() {
        HostTensor slice = counting(4, 3).slice(0, 1, 3);
        assertEquals(24, slice.memory().byteSize());
        assertArrayEquals(new float[] {3, 4, 5, 6, 7, 8}, slice.reshape(6).copyToFloats());
    }

    @Test
    void reinterpretsBytesAsNibblesAndBack() {
        HostTensor bytes = HostTensor.copyOf(arena, DType.I8, Shape.of(2, 2), 0x10, 0x32, 0x54, 0x76);
        HostTensor nibbles = bytes.reinterpret(DType.E2M1, 2, 4);
        assertArrayEquals(new float[] {0, 0.5f, 1, 1.5f, 2, 3, 4, 6}, nibbles.copyToFloats());
        assertEquals(3, nibbles.slice(1, 1, 3).get(1, 0));
        assertArrayEquals(
                new float[] {3, 4}, nibbles.slice(0, 1, 2).slice(1, 1, 3).copyToFloats());
        assertEquals(0x54, nibbles.reinterpret(DType.I8, 4).getInt(2));
        assertThrows(IllegalArgumentException.class, () -> nibbles.reinterpret(DType.F32, 2));
    }

    @Test
    void halfBytesHaveNoMemoryOfTheirOwn() {
        HostTensor nibbles = HostTensor.allocate(arena, DType.E2M1, 8);
        assertEquals(1, nibbles.slice(0, 2, 4).memory().byteSize());
        assertThrows(IllegalStateException.class, () -> nibbles.slice(0, 1, 3).memory());
        assertThrows(IllegalStateException.class, () -> nibbles.slice(0, 0, 3).memory());
        assertThrows(IllegalArgumentException.class, () -> HostTensor.allocate(arena, DType.E2M1, 7));
    }

    @Test
    void writingOneNibbleLeavesItsNeighbour() {
        HostTensor nibbles = HostTensor.copyOf(arena, DType.E2M1, Shape.of(4), 1, 2, 3, 4);
        nibbles.set(-6, 1);
        nibbles.set(0.5f, 2);
        assertArrayEquals(new float[] {1, -6, 0.5f, 4}, nibbles.copyToFloats());
    }

    @Test
    void indicesAndAxesOutsideAreRefused() {
        HostTensor tensor = counting(2, 3);
        assertThrows(IndexOutOfBoundsException.class, () -> tensor.get(0, 3));
        assertThrows(IndexOutOfBoundsException.class, () -> tensor.get(-1, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> tensor.get(0));
        assertThrows(IndexOutOfBoundsException.class, () -> tensor.slice(1, 2, 4));
        assertThrows(IndexOutOfBoundsException.class, () -> tensor.slice(1, 2, 1));
        assertThrows(IndexOutOfBoundsException.class, () -> tensor.slice(2, 0, 1));
        assertThrows(IndexOutOfBoundsException.class, () -> tensor.transpose(0, -3));
        HostTensor slice = tensor.slice(1, 0, 2);
        assertThrows(IndexOutOfBoundsException.class, () -> slice.get(0, 2), "inside the memory, outside the view");
    }

    @Test
    void memoryOfAnotherSizeIsRefused() {
        MemorySegment twelve = arena.allocate(12);
        assertThrows(IllegalArgumentException.class, () -> HostTensor.wrap(twelve, DType.F32, Shape.of(4)));
        assertThrows(IllegalArgumentException.class, () -> HostTensor.copyOf(arena, DType.F32, Shape.of(2), 1, 2, 3));
    }

    @Test
    void useAfterTheArenaClosesIsRefused() {
        HostTensor tensor = counting(2, 2);
        HostTensor view = tensor.transpose(0, 1);
        arena.close();
        assertThrows(IllegalStateException.class, () -> tensor.get(0, 0));
        assertThrows(IllegalStateException.class, () -> view.set(1, 0, 0));
        assertThrows(IllegalStateException.class, tensor::copyToFloats);
    }

    @Test
    void confinedTensorIsRefusedToOtherThreads() throws InterruptedException {
        HostTensor tensor = counting(1);
        Throwable[] thrown = new Throwable[1];
        Thread other = Thread.ofPlatform()
                .start(() -> thrown[0] = assertThrows(WrongThreadException.class, () -> tensor.get(0)));
        other.join();
        assertEquals(WrongThreadException.class, thrown[0].getClass());
    }

    @Test
    void integersComeBackWhole() {
        HostTensor tensor = HostTensor.copyOf(arena, Shape.of(2), Integer.MIN_VALUE, 16_777_217);
        assertEquals(16_777_217, tensor.getInt(1));
        assertArrayEquals(new int[] {Integer.MIN_VALUE, 16_777_217}, tensor.copyToInts());
        HostTensor floats = counting(2);
        assertThrows(IllegalStateException.class, floats::copyToInts);
    }

    @Test
    void scalarHasOneElementAndNoAxes() {
        HostTensor scalar = HostTensor.copyOf(arena, DType.BF16, Shape.of(), 1.5f);
        assertEquals(1.5f, scalar.get());
        assertArrayEquals(new float[] {1.5f}, scalar.copyToFloats());
        assertEquals("BF16 []", scalar.toString());
    }
}
