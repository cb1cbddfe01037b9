package layerwise.tensor;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Loops over runs of elements, one a type and direction.
 *
 * <p>The reference executor spends much of its time decoding weights, so each loop holds one conversion and nothing to
 * decide: the compiler unrolls it, and turns it into vector instructions where the conversion is arithmetic.
 */
final class ElementRuns {
    private static final ValueLayout.OfShort SHORT = JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private ElementRuns() {}

    static void readFloat16(MemorySegment memory, long first, float[] values, int at, int count) {
        for (int i = 0; i < count; i++) {
            values[at + i] = Float.float16ToFloat(memory.get(SHORT, 2 * (first + i)));
        }
    }

    static void readBFloat16(MemorySegment memory, long first, float[] values, int at, int count) {
        for (int i = 0; i < count; i++) {
            values[at + i] = BFloat16.decode(memory.get(SHORT, 2 * (first + i)));
        }
    }

    /** @param table the value of each of the 256 codes */
    static void readBytes(MemorySegment memory, float[] table, long first, float[] values, int at, int count) {
        for (int i = 0; i < count; i++) {
            values[at + i] = table[memory.get(JAVA_BYTE, first + i) & 0xFF];
        }
    }

    /** Two a byte: an odd element at either end is read alone. */
    static void readFloat4(MemorySegment memory, long first, float[] values, int at, int count) {
        int i = 0;
        if ((first & 1) == 1 && count > 0) {
            values[at] = Elements.get(memory, DType.E2M1, first);
            i = 1;
        }
        for (; i + 1 < count; i += 2) {
            int pair = memory.get(JAVA_BYTE, (first + i) >> 1);
            values[at + i] = Float4E2M1.decode(pair);
            values[at + i + 1] = Float4E2M1.decode(pair >> 4);
        }
        if (i < count) {
            values[at + i] = Elements.get(memory, DType.E2M1, first + i);
        }
    }

    static void writeFloat16(MemorySegment memory, long first, float[] values, int at, int count) {
        for (int i = 0; i < count; i++) {
            memory.set(SHORT, 2 * (first + i), Float.floatToFloat16(values[at + i]));
        }
    }

    static void writeBFloat16(MemorySegment memory, long first, float[] values, int at, int count) {
        for (int i = 0; i < count; i++) {
            memory.set(SHORT, 2 * (first + i), BFloat16.encode(values[at + i]));
        }
    }

    static void writeFloat8E4M3(MemorySegment memory, long first, float[] values, int at, int count) {
        for (int i = 0; i < count; i++) {
            memory.set(JAVA_BYTE, first + i, Float8E4M3.encode(values[at + i]));
        }
    }

    /** Two a byte: an odd element at either end leaves its neighbour as it is. */
    static void writeFloat4(MemorySegment memory, long first, float[] values, int at, int count) {
        int i = 0;
        if ((first & 1) == 1 && count > 0) {
            Elements.set(memory, DType.E2M1, first, values[at]);
            i = 1;
        }
        for (; i + 1 < count; i += 2) {
            int low = Float4E2M1.encode(values[at + i]);
            int high = Float4E2M1.encode(values[at + i + 1]);
            memory.set(JAVA_BYTE, (first + i) >> 1, (byte) (low | (high << 4)));
        }
        if (i < count) {
            Elements.set(memory, DType.E2M1, first + i, values[at + i]);
        }
    }
}
