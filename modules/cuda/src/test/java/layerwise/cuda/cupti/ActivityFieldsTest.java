package layerwise.cuda.cupti;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import layerwise.trace.CopyActivity;
import layerwise.trace.FillActivity;
import layerwise.trace.KernelActivity;
import org.junit.jupiter.api.Test;

/** Records laid out by hand, at the offsets that a C program printed for CUDA 13.0. */
class ActivityFieldsTest {
    private static final long START = 1_700_000_000_000_000_000L;

    @Test
    void readsAKernel() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment record = arena.allocate(216, 8);
            record.set(JAVA_BYTE, 4, (byte) 0x21); // executed 2, requested 1
            record.set(JAVA_SHORT, 6, (short) 168);
            record.set(JAVA_LONG, 16, START);
            record.set(JAVA_LONG, 24, START + 1500);
            ints(record, 40, 2, 1, 13, 132, 2, 3, 256, 4, 5, 1024, 166_912, 16);
            record.set(JAVA_INT, 92, 0xFFFF_FFFE); // correlation ids are unsigned
            record.set(JAVA_LONG, 96, 77);
            record.set(JAVA_BYTE, 136, (byte) 1); // cooperative
            record.set(JAVA_INT, 140, 233_472);
            record.set(JAVA_LONG, 144, (5L << 32) | 9);
            record.set(JAVA_INT, 152, 3);
            record.set(JAVA_INT, 156, 5);
            ints(record, 176, 2, 1, 1, 4);
            record.set(JAVA_LONG, 192, 6_000_000_000L);
            ints(record, 200, 16, 66);
            KernelActivity row = new KernelActivity();
            ActivityFields.read(record, row);
            assertAll(
                    () -> assertEquals(START, row.start),
                    () -> assertEquals(START + 1500, row.end),
                    () -> assertEquals("2 1 13", row.deviceId + " " + row.contextId + " " + row.streamId),
                    () -> assertEquals("132 2 3", row.gridX + " " + row.gridY + " " + row.gridZ),
                    () -> assertEquals("256 4 5", row.blockX + " " + row.blockY + " " + row.blockZ),
                    () -> assertEquals(4_294_967_294L, row.correlationId),
                    () -> assertEquals(2, row.launchType),
                    () -> assertEquals(1, row.cacheConfig),
                    () -> assertEquals(168, row.registersPerThread),
                    () -> assertEquals(1024, row.staticSharedMemory),
                    () -> assertEquals(166_912, row.dynamicSharedMemory),
                    () -> assertEquals(16, row.localMemoryPerThread),
                    () -> assertEquals(6_000_000_000L, row.localMemoryTotal),
                    () -> assertEquals(77, row.gridId),
                    () -> assertEquals(233_472, row.sharedMemoryExecuted),
                    () -> assertEquals(21_474_836_489L, row.graphNodeId),
                    () -> assertEquals(3, row.sharedMemoryLimitConfig),
                    () -> assertEquals(5, row.graphId),
                    () -> assertEquals("2 1 1", row.clusterX + " " + row.clusterY + " " + row.clusterZ),
                    () -> assertEquals(4, row.clusterSchedulingPolicy),
                    () -> assertEquals(16, row.maxPotentialClusterSize),
                    () -> assertEquals(66, row.maxActiveClusters));
        }
    }

    @Test
    void readsACopyAndCountsMemoryKindsAsExportsDo() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment record = arena.allocate(96, 8);
            record.set(JAVA_BYTE, 4, (byte) 1); // host to device
            record.set(JAVA_BYTE, 5, (byte) 2); // pinned
            record.set(JAVA_BYTE, 6, (byte) 3); // device
            record.set(JAVA_LONG, 8, 1L << 33);
            record.set(JAVA_LONG, 16, START);
            record.set(JAVA_LONG, 24, START + 10);
            ints(record, 32, 0, 1, 7, 42);
            record.set(JAVA_LONG, 64, 12);
            CopyActivity row = new CopyActivity();
            ActivityFields.read(record, row);
            assertAll(
                    () -> assertEquals(START, row.start),
                    () -> assertEquals(START + 10, row.end),
                    () -> assertEquals("0 1 7", row.deviceId + " " + row.contextId + " " + row.streamId),
                    () -> assertEquals(42, row.correlationId),
                    () -> assertEquals(1L << 33, row.bytes),
                    () -> assertEquals(1, row.copyKind),
                    () -> assertEquals(1, row.sourceKind),
                    () -> assertEquals(2, row.destinationKind),
                    () -> assertEquals(12, row.graphNodeId));
        }
    }

    @Test
    void readsAMemorySetOfUnknownMemory() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment record = arena.allocate(88, 8);
            record.set(JAVA_INT, 4, 255);
            record.set(JAVA_LONG, 8, 4096);
            record.set(JAVA_LONG, 16, START);
            record.set(JAVA_LONG, 24, START + 3);
            ints(record, 32, 1, 2, 3, 4);
            record.set(JAVA_LONG, 64, 5);
            FillActivity row = new FillActivity();
            ActivityFields.read(record, row);
            assertAll(
                    () -> assertEquals(255, row.value),
                    () -> assertEquals(4096, row.bytes),
                    () -> assertEquals(START, row.start),
                    () -> assertEquals(START + 3, row.end),
                    () -> assertEquals("1 2 3", row.deviceId + " " + row.contextId + " " + row.streamId),
                    () -> assertEquals(4, row.correlationId),
                    () -> assertEquals(5, row.graphNodeId),
                    () -> assertEquals(7, row.memoryKind));
        }
    }

    private static void ints(MemorySegment record, long offset, int... values) {
        for (int i = 0; i < values.length; i++) {
            record.set(JAVA_INT, offset + 4L * i, values[i]);
        }
    }
}
