package layerwise.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicReference;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.Test;

@NeedsGpu
class DeviceIT {
    @Test
    void knowsItsGpu() {
        try (Device device = Device.open(0)) {
            DeviceInfo info = device.info();
            assertFalse(info.name().isEmpty());
            assertTrue(info.major() >= 7, info.toString());
            assertTrue(info.multiprocessors() > 0 && info.clockHz() > 0 && info.l2Bytes() > 0, info.toString());
            assertTrue(info.memoryBandwidth() > 100_000_000_000L, info.toString());
            assertTrue(device.freeBytes() <= info.memoryBytes());
            assertTrue(info.busId().matches("[0-9A-Fa-f:.]+"), info.busId());
        }
    }

    @Test
    void namesTheDevicesThereAre() {
        var failure = assertThrows(DeviceUnavailableException.class, () -> Device.open(99));
        assertTrue(failure.getMessage().startsWith("CUDA device 99 does not exist"), failure.getMessage());
    }

    @Test
    void bringsBackWhatItWasGiven() {
        try (Arena arena = Arena.ofConfined();
                Device device = Device.open(0)) {
            float[] values = {1.5f, -2f, Float.NaN, Float.POSITIVE_INFINITY, 0.25f};
            HostTensor sent = HostTensor.copyOf(arena, DType.F32, Shape.of(5), values);
            HostTensor received = HostTensor.allocate(arena, DType.F32, 5);
            CudaStream stream = device.createStream();
            DeviceBuffer memory = device.allocate(1024);
            device.upload(sent, memory.slice(256, 20), stream);
            device.download(memory.slice(256, 20), received, stream);
            assertArrayEquals(values, received.copyToFloats());
        }
    }

    @Test
    void copiesAndFillsInTheOrderOfTheStream() {
        try (Device device = Device.open(0)) {
            CudaStream stream = device.createStream();
            PinnedBuffer pinned = device.allocatePinned(4096);
            DeviceBuffer first = device.allocate(4096);
            DeviceBuffer second = device.allocate(4096);
            for (int i = 0; i < 4096; i++) {
                pinned.memory().set(ValueLayout.JAVA_BYTE, i, (byte) i);
            }
            stream.copy(pinned, first);
            stream.fill(first.slice(1, 3), (byte) 0xEE);
            stream.copy(first, second);
            stream.synchronize();
            pinned.memory().fill((byte) 0);
            stream.copy(second, pinned);
            stream.synchronize();
            for (int i = 0; i < 4096; i++) {
                byte expected = i >= 1 && i <= 3 ? (byte) 0xEE : (byte) i;
                assertEquals(expected, pinned.memory().get(ValueLayout.JAVA_BYTE, i), "byte " + i);
            }
        }
    }

    @Test
    void saysWhatWasAskedWhenMemoryIsShortAndStaysUsable() {
        try (Device device = Device.open(0)) {
            var failure = assertThrows(DeviceMemoryException.class, () -> device.allocate(1L << 48));
            assertEquals(1L << 48, failure.askedBytes());
            assertTrue(failure.getMessage().contains("cudaErrorMemoryAllocation (2)"), failure.getMessage());
            assertEquals(0, device.liveHandles());
            device.allocate(1 << 20);
            device.synchronize();
        }
    }

    @Test
    void refusesCopiesThatDoNotFit() {
        try (Device device = Device.open(0);
                Arena arena = Arena.ofConfined()) {
            DeviceBuffer memory = device.allocate(64);
            CudaStream stream = device.createStream();
            MemorySegment host = arena.allocate(65);
            assertThrows(IndexOutOfBoundsException.class, () -> device.upload(host, memory, stream));
            assertThrows(IndexOutOfBoundsException.class, () -> memory.slice(60, 5));
        }
    }

    @Test
    void destroysEverythingThatWasMadeFromIt() {
        Device device = Device.open(0);
        DeviceBuffer memory = device.allocate(64);
        CudaStream stream = device.createStream();
        CudaEvent timer = device.createTimer();
        assertEquals(3, device.liveHandles());
        timer.close();
        timer.close();
        assertEquals(2, device.liveHandles());
        device.close();
        device.close();
        assertEquals(0, device.liveHandles());
        assertThrows(IllegalStateException.class, memory::address);
        assertThrows(IllegalStateException.class, stream::synchronize);
        assertThrows(IllegalStateException.class, () -> device.allocate(64));
    }

    @Test
    void belongsToTheThreadThatOpenedIt() throws InterruptedException {
        try (Device device = Device.open(0)) {
            AtomicReference<Throwable> caught = new AtomicReference<>();
            Thread other = Thread.ofPlatform().name("stranger").start(() -> {
                try {
                    device.allocate(64);
                } catch (RuntimeException e) {
                    caught.set(e);
                }
            });
            other.join();
            assertInstanceOf(IllegalStateException.class, caught.get());
            assertTrue(
                    caught.get().getMessage().contains("\"stranger\""),
                    caught.get().getMessage());
        }
    }

    @Test
    void measuresDeviceTimeBetweenEvents() {
        try (Device device = Device.open(0)) {
            CudaStream stream = device.createStream();
            DeviceBuffer memory = device.allocate(256L << 20);
            CudaEvent before = device.createTimer();
            CudaEvent between = device.createTimer();
            CudaEvent after = device.createTimer();
            stream.record(before);
            stream.fill(memory, (byte) 1);
            stream.record(between);
            stream.fill(memory, (byte) 2);
            stream.record(after);
            after.synchronize();
            assertTrue(before.isPassed() && between.isPassed() && after.isPassed());
            double first = between.microsSince(before);
            double both = after.microsSince(before);
            assertTrue(first > 10 && both > first, first + " us of " + both + " us");
        }
    }
}
