package layerwise.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.util.Arrays;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@NeedsGpu
class CudaGraphIT {
    private static final int N = 1000;

    private Arena arena;
    private Device device;
    private CudaStream stream;
    private DeviceBuffer x;
    private DeviceBuffer y;
    private KernelLaunch axpy;

    @BeforeEach
    void open() {
        arena = Arena.ofConfined();
        device = Device.open(0);
        stream = device.createStream();
        x = device.allocate(4L * N);
        y = device.allocate(4L * N);
        HostTensor ones = HostTensor.allocate(arena, DType.F32, N);
        for (int i = 0; i < N; i++) {
            ones.set(1f, i);
        }
        device.upload(ones, x, stream);
        axpy = Probe.load(device)
                .kernel("probe_axpy_f32")
                .prepare(arena, LaunchShape.of(4, 256))
                .pointer(0, y)
                .pointer(1, x)
                .set(2, 2f)
                .set(3, N);
    }

    @AfterEach
    void close() {
        device.close();
        arena.close();
        assertEquals(0, device.liveHandles());
    }

    private float[] result() {
        HostTensor host = HostTensor.allocate(arena, DType.F32, N);
        device.download(y, host, stream);
        return host.copyToFloats();
    }

    private static float[] all(float value) {
        float[] values = new float[N];
        Arrays.fill(values, value);
        return values;
    }

    @Test
    void replaysWhatWasCapturedAndNothingBefore() {
        stream.fill(y, (byte) 0);
        CudaGraph graph = stream.capture(() -> {
            stream.fill(y, (byte) 0);
            axpy.launch(stream);
            axpy.launch(stream);
        });
        assertEquals(3, graph.nodes());
        assertArrayEquals(all(0), result());
        GraphExec exec = graph.instantiate();
        graph.close();
        exec.upload(stream);
        exec.launch(stream);
        exec.launch(stream);
        assertArrayEquals(all(4), result());
    }

    @Test
    void keepsTheArgumentsOfTheMomentOfCapture() {
        CudaGraph graph = stream.capture(() -> {
            stream.fill(y, (byte) 0);
            axpy.launch(stream);
        });
        axpy.set(2, 100f);
        graph.instantiate().launch(stream);
        assertArrayEquals(all(2), result());
    }

    @Test
    void capturesWhatASecondStreamDoesBetweenTwoFences() {
        CudaStream aside = device.createStream();
        CudaEvent fork = device.createFence();
        CudaEvent join = device.createFence();
        CudaGraph graph = stream.capture(() -> {
            stream.fill(y, (byte) 0);
            stream.record(fork);
            aside.await(fork);
            axpy.launch(aside);
            aside.record(join);
            stream.await(join);
            axpy.launch(stream);
        });
        graph.instantiate().launch(stream);
        assertArrayEquals(all(4), result());
    }

    @Test
    void leavesTheStreamUsableWhenCapturedWorkFails() {
        assertThrows(
                IllegalArgumentException.class,
                () -> stream.capture(() -> {
                    axpy.launch(stream);
                    throw new IllegalArgumentException("as a launcher would");
                }));
        stream.fill(y, (byte) 0);
        axpy.launch(stream);
        assertArrayEquals(all(2), result());
    }
}
