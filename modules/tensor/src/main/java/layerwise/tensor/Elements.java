package layerwise.tensor;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/** Elements of raw memory as floats: one switch over the types for single elements, one each way for runs of them. */
public final class Elements {
    private static final ValueLayout.OfShort SHORT = JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final float[] INT8_VALUES = MiniFloat.table(code -> (byte) code);

    private Elements() {}

    /** Element {@code index} of {@code memory}, decoded. */
    public static float get(MemorySegment memory, DType dtype, long index) {
        return switch (dtype) {
            case F32 -> Float.intBitsToFloat(memory.get(INT, 4 * index));
            case F16 -> Float.float16ToFloat(memory.get(SHORT, 2 * index));
            case BF16 -> BFloat16.decode(memory.get(SHORT, 2 * index));
            case E4M3 -> Float8E4M3.decode(memory.get(JAVA_BYTE, index));
            case E5M2 -> Float8E5M2.decode(memory.get(JAVA_BYTE, index));
            case E2M1 -> Float4E2M1.decode(memory.get(JAVA_BYTE, index >> 1) >> (int) (4 * (index & 1)));
            case UE8M0 -> ScaleUe8m0.decode(memory.get(JAVA_BYTE, index));
            case I32 -> memory.get(INT, 4 * index);
            case I8 -> memory.get(JAVA_BYTE, index);
        };
    }

    /** Encodes {@code value} as element {@code index}: to nearest, ties to even. */
    public static void set(MemorySegment memory, DType dtype, long index, float value) {
        switch (dtype) {
            case F32 -> memory.set(INT, 4 * index, Float.floatToRawIntBits(value));
            case F16 -> memory.set(SHORT, 2 * index, Float.floatToFloat16(value));
            case BF16 -> memory.set(SHORT, 2 * index, BFloat16.encode(value));
            case E4M3 -> memory.set(JAVA_BYTE, index, Float8E4M3.encode(value));
            case E5M2 -> memory.set(JAVA_BYTE, index, Float8E5M2.encode(value));
            case E2M1 -> {
                int shift = (int) (4 * (index & 1));
                int kept = memory.get(JAVA_BYTE, index >> 1) & ~(0xF << shift);
                memory.set(JAVA_BYTE, index >> 1, (byte) (kept | Float4E2M1.encode(value) << shift));
            }
            case UE8M0 -> memory.set(JAVA_BYTE, index, ScaleUe8m0.encode(value));
            case I32 -> memory.set(INT, 4 * index, (int) Math.rint(value));
            case I8 -> memory.set(JAVA_BYTE, index, (byte) Math.clamp(Math.rint(value), -128, 127));
        }
    }

    /** An integer element, without a detour over float. */
    public static int getInt(MemorySegment memory, DType dtype, long index) {
        return switch (dtype) {
            case I32 -> memory.get(INT, 4 * index);
            case I8 -> memory.get(JAVA_BYTE, index);
            case F32, F16, BF16, E4M3, E5M2, E2M1, UE8M0 ->
                throw new IllegalArgumentException(dtype + " is not an integer type");
        };
    }

    /** Sets an integer element; eight-bit ones keep the low byte. */
    public static void setInt(MemorySegment memory, DType dtype, long index, int value) {
        switch (dtype) {
            case I32 -> memory.set(INT, 4 * index, value);
            case I8 -> memory.set(JAVA_BYTE, index, (byte) value);
            case F32, F16, BF16, E4M3, E5M2, E2M1, UE8M0 ->
                throw new IllegalArgumentException(dtype + " is not an integer type");
        }
    }

    /**
     * Decodes {@code count} elements from {@code first} on into {@code values} from {@code at} on.
     *
     * @throws IndexOutOfBoundsException if either run leaves its memory
     */
    public static void read(MemorySegment memory, DType dtype, long first, float[] values, int at, int count) {
        Objects.checkFromIndexSize(at, count, values.length);
        switch (dtype) {
            case F32 -> MemorySegment.copy(memory, INT, 4 * first, MemorySegment.ofArray(values), INT, 4L * at, count);
            case F16 -> ElementRuns.readFloat16(memory, first, values, at, count);
            case BF16 -> ElementRuns.readBFloat16(memory, first, values, at, count);
            case E4M3 -> ElementRuns.readBytes(memory, Float8E4M3.VALUES, first, values, at, count);
            case E5M2 -> ElementRuns.readBytes(memory, Float8E5M2.VALUES, first, values, at, count);
            case E2M1 -> ElementRuns.readFloat4(memory, first, values, at, count);
            case UE8M0 -> ElementRuns.readBytes(memory, ScaleUe8m0.VALUES, first, values, at, count);
            case I8 -> ElementRuns.readBytes(memory, INT8_VALUES, first, values, at, count);
            case I32 -> {
                for (int i = 0; i < count; i++) {
                    values[at + i] = get(memory, dtype, first + i);
                }
            }
        }
    }

    /**
     * Encodes {@code count} elements from {@code first} on.
     *
     * @throws IndexOutOfBoundsException if either run leaves its memory
     */
    public static void write(MemorySegment memory, DType dtype, long first, float[] values, int at, int count) {
        Objects.checkFromIndexSize(at, count, values.length);
        switch (dtype) {
            case F32 -> MemorySegment.copy(MemorySegment.ofArray(values), INT, 4L * at, memory, INT, 4 * first, count);
            case F16 -> ElementRuns.writeFloat16(memory, first, values, at, count);
            case BF16 -> ElementRuns.writeBFloat16(memory, first, values, at, count);
            case E4M3 -> ElementRuns.writeFloat8E4M3(memory, first, values, at, count);
            case E2M1 -> ElementRuns.writeFloat4(memory, first, values, at, count);
            case E5M2, UE8M0, I32, I8 -> {
                for (int i = 0; i < count; i++) {
                    set(memory, dtype, first + i, values[at + i]);
                }
            }
        }
    }
}
