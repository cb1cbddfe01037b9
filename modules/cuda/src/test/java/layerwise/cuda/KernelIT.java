package layerwise.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@NeedsGpu
class KernelIT {
    private Arena arena;
    private Device device;
    private CudaStream stream;
    private KernelImage probe;

    @BeforeEach
    void open() {
        arena = Arena.ofConfined();
        device = Device.open(0);
        stream = device.createStream();
        probe = Probe.load(device);
    }

    @AfterEach
    void close() {
        device.close();
        arena.close();
        assertEquals(0, device.liveHandles());
    }

    private DeviceBuffer ramp(int elements) {
        HostTensor host = HostTensor.allocate(arena, DType.F32, elements);
        for (int i = 0; i < elements; i++) {
            host.set(i, i);
        }
        DeviceBuffer memory = device.allocate(4L * elements);
        device.upload(host, memory, stream);
        return memory;
    }

    private float[] floats(DeviceMemory memory) {
        HostTensor host = HostTensor.allocate(arena, DType.F32, memory.bytes() / 4);
        device.download(memory, host, stream);
        return host.copyToFloats();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 255, 256, 257, 1009})
    void takesPointersIntegersAndFloats(int n) {
        DeviceBuffer x = ramp(n);
        DeviceBuffer y = ramp(n);
        probe.kernel("probe_axpy_f32")
                .prepare(arena, LaunchShape.of((n + 255) / 256, 256))
                .pointer(0, y)
                .pointer(1, x)
                .set(2, 0.5f)
                .set(3, n)
                .launch(stream);
        float[] values = floats(y);
        for (int i = 0; i < n; i++) {
            assertEquals(1.5f * i, values[i], "element " + i);
        }
    }

    @Test
    void takesLongsAndThreeDimensionalGrids() {
        int n = 7 * 5 * 3;
        DeviceBuffer y = device.allocate(8L * n);
        probe.kernel("probe_ramp_i64")
                .prepare(arena, LaunchShape.of(1, 1).grid(7, 5, 3))
                .pointer(0, y)
                .set(1, 1L << 40)
                .set(2, n)
                .launch(stream);
        MemorySegment host = arena.allocate(8L * n, 8);
        device.download(y, host, stream);
        for (int i = 0; i < n; i++) {
            assertEquals((1L << 40) + i, host.getAtIndex(ValueLayout.JAVA_LONG, i));
        }
    }

    @Test
    void usesMoreSharedMemoryThanKernelsGetUnasked() {
        int n = 40_000; // 160,000 bytes
        DeviceBuffer x = ramp(n);
        DeviceBuffer y = device.allocate(4L * n);
        Kernel kernel = probe.kernel("probe_reverse_f32");
        LaunchShape shape = LaunchShape.of(1, 512).shared(4 * n);
        assertEquals(1, kernel.blocksPerMultiprocessor(shape));
        kernel.prepare(arena, shape).pointer(0, y).pointer(1, x).set(2, n).launch(stream);
        float[] values = floats(y);
        for (int i = 0; i < n; i++) {
            assertEquals(n - 1 - i, values[i]);
        }
        assertThrows(
                IllegalArgumentException.class,
                () -> kernel.prepare(arena, LaunchShape.of(1, 512).shared(1 << 20)));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 8, 16})
    void launchesClusters(int blocks) {
        DeviceBuffer y = device.allocate(4L * 32);
        probe.kernel("probe_cluster_i32")
                .prepare(arena, LaunchShape.of(32, 32).cluster(blocks, 1, 1))
                .pointer(0, y)
                .launch(stream);
        HostTensor host = HostTensor.allocate(arena, DType.I32, 32);
        device.download(y, host, stream);
        int[] values = host.copyToInts();
        for (int i = 0; i < 32; i++) {
            assertEquals(i % blocks + 100 * blocks, values[i], "block " + i);
        }
    }

    @Test
    void overlapsDependentLaunchesWithoutChangingResults() {
        DeviceBuffer x = ramp(256);
        DeviceBuffer y = ramp(256);
        KernelLaunch launch = probe.kernel("probe_axpy_dependent_f32")
                .prepare(arena, LaunchShape.of(1, 256).asProgrammatic())
                .pointer(0, y)
                .pointer(1, x)
                .set(2, 1f)
                .set(3, 256);
        for (int i = 0; i < 100; i++) {
            launch.launch(stream);
        }
        assertEquals(101f * 255, floats(y)[255]);
    }

    @Test
    void passesTensorMapsByValue() {
        DeviceBuffer x = ramp(64 * 40);
        TensorMap map = TensorMap.tiled(
                arena,
                DType.F32,
                x.address(),
                new long[] {64, 40},
                new long[] {256},
                new int[] {16, 8},
                TensorMap.Swizzle.NONE);
        DeviceBuffer y = device.allocate(4L * 128);
        probe.kernel("probe_tensor_map_f32")
                .prepare(arena, LaunchShape.of(1, 32))
                .pointer(0, y)
                .set(1, map)
                .set(2, 56) // the last eight columns lie outside and read as zero
                .set(3, 3)
                .launch(stream);
        float[] expected = new float[128];
        for (int row = 0; row < 8; row++) {
            for (int column = 0; column < 8; column++) {
                expected[16 * row + column] = 64 * (3 + row) + 56 + column;
            }
        }
        assertArrayEquals(expected, floats(y));
    }

    @Test
    void refusesTensorMapsThatTheHardwareCannotDo() {
        DeviceBuffer x = device.allocate(1024);
        var failure = assertThrows(
                IllegalArgumentException.class,
                () -> TensorMap.tiled(
                        arena,
                        DType.F32,
                        x.address() + 4,
                        new long[] {16, 4},
                        new long[] {64},
                        new int[] {16, 4},
                        TensorMap.Swizzle.NONE));
        assertTrue(failure.getMessage().contains("extents [16, 4]"), failure.getMessage());
    }

    @Test
    void knowsWhatItsArgumentsTake() {
        Kernel kernel = probe.kernel("probe_axpy_f32");
        assertEquals(4, kernel.parameterCount());
        assertTrue(kernel.registers() > 0 && kernel.localBytes() == 0);
        KernelLaunch launch = kernel.prepare(arena, LaunchShape.of(1, 1));
        var failure = assertThrows(IllegalArgumentException.class, () -> launch.set(0, 1));
        assertEquals("argument 0 of probe_axpy_f32 takes 8 bytes, not 4", failure.getMessage());
        assertThrows(IndexOutOfBoundsException.class, () -> launch.set(4, 1));
        assertThrows(IllegalStateException.class, () -> launch.launch(stream), "arguments are unset");
    }

    @Test
    void refusesDamagedImagesAndUnknownSymbols() {
        byte[] damaged = Probe.bytes();
        for (int i = 0; i < damaged.length; i += 2) {
            damaged[i] = 0;
        }
        var failure = assertThrows(
                ConfigException.class,
                () -> KernelImage.load(device, damaged, "bad.cubin").kernel("probe_axpy_f32"));
        assertTrue(failure.getMessage().startsWith("bad.cubin "), failure.getMessage());
        failure = assertThrows(ConfigException.class, () -> probe.kernel("absent"));
        assertTrue(failure.getMessage().startsWith("probe.sm_90a.cubin has no kernel absent"), failure.getMessage());
    }

    @Test
    void cannotBeLaunchedAfterItsImageWasClosed() {
        KernelLaunch launch = probe.kernel("probe_cluster_i32")
                .prepare(arena, LaunchShape.of(1, 1))
                .pointer(0, device.allocate(64));
        probe.close();
        assertThrows(IllegalStateException.class, () -> launch.launch(stream));
    }
}
