package layerwise.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.List;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** NCCL with a group of one rank, in which every collective is a copy. */
@NeedsGpu
@Timeout(60)
class NcclCommunicatorIT {
    private static final int N = 1000;

    private Arena arena;
    private Device device;
    private CudaStream stream;
    private NcclCommunicator communicator;
    private DeviceBuffer x;
    private DeviceBuffer y;

    @BeforeEach
    void open() {
        assumeTrue(Libraries.has(CudaLibrary.NCCL), "NCCL is not installed");
        arena = Arena.ofConfined();
        device = Device.open(0);
        stream = device.createStream();
        communicator = NcclCommunicator.join(device, Nccl.createId(), 0, 1, Duration.ofSeconds(30));
        x = device.allocate(4L * N);
        y = device.allocate(4L * N);
        HostTensor host = HostTensor.allocate(arena, DType.F32, N);
        for (int i = 0; i < N; i++) {
            host.set(i, i);
        }
        device.upload(host, x, stream);
        stream.fill(y, (byte) 0xFF);
    }

    @AfterEach
    void close() {
        if (device != null) {
            device.close();
            arena.close();
            assertEquals(0, device.liveHandles());
        }
    }

    private void assertCopied() {
        communicator.synchronize(stream);
        HostTensor host = HostTensor.allocate(arena, DType.F32, N);
        device.download(y, host, stream);
        float[] expected = new float[N];
        for (int i = 0; i < N; i++) {
            expected[i] = i;
        }
        assertArrayEquals(expected, host.copyToFloats());
    }

    @Test
    void joinsAGroup() {
        assertEquals(0, communicator.rank());
        assertEquals(1, communicator.ranks());
        assertTrue(communicator.isOpen());
    }

    @Test
    void reducesToAllRanks() {
        communicator.allReduce(DType.F32, x, y).launch(stream);
        assertCopied();
    }

    @Test
    void reducesToOneRank() {
        communicator.reduce(DType.F32, x, y, 0).launch(stream);
        assertCopied();
    }

    @Test
    void gathersFromAllRanks() {
        communicator.allGather(x, y).launch(stream);
        assertCopied();
    }

    @Test
    void scattersSums() {
        communicator.reduceScatter(DType.F32, x, y).launch(stream);
        assertCopied();
    }

    @Test
    void sendsAndReceivesInOneGroup() {
        communicator
                .group(List.of(
                        communicator.send(x.slice(0, 400), 0),
                        communicator.receive(y.slice(0, 400), 0),
                        communicator.send(x.slice(400, 3600), 0),
                        communicator.receive(y.slice(400, 3600), 0)))
                .launch(stream);
        assertCopied();
    }

    @Test
    void anEmptyGroupDoesNothing() {
        communicator.group(List.of()).launch(stream);
        communicator.synchronize(stream);
    }

    @Test
    void runsInsideGraphs() {
        NcclCall reduce = communicator.allReduce(DType.F32, x, y);
        reduce.launch(stream);
        communicator.synchronize(stream);
        CudaGraph graph = stream.capture(() -> {
            stream.fill(y, (byte) 0xFF);
            reduce.launch(stream);
            communicator
                    .group(List.of(communicator.send(x, 0), communicator.receive(y, 0)))
                    .launch(stream);
        });
        assertTrue(graph.nodes() >= 2, graph.nodes() + " nodes");
        GraphExec exec = graph.instantiate();
        for (int i = 0; i < 10; i++) {
            exec.launch(stream);
        }
        assertCopied();
    }

    @Test
    void cannotBeUsedAfterAnAbort() {
        communicator.allReduce(DType.F32, x, y).launch(stream);
        NcclCall late = communicator.allReduce(DType.F32, x, y);
        communicator.abort();
        assertFalse(communicator.isOpen());
        assertThrows(IllegalStateException.class, () -> late.launch(stream));
        communicator.abort();
    }

    @Test
    void givesUpWhenOtherRanksDoNotJoin() {
        byte[] id = Nccl.createId();
        long start = System.nanoTime();
        var failure =
                assertThrows(NcclException.class, () -> NcclCommunicator.join(device, id, 0, 2, Duration.ofSeconds(2)));
        assertTrue(failure.getMessage().startsWith("ncclCommInitRankConfig: ncclInProgress (7)"), failure.getMessage());
        assertTrue(failure.getMessage().contains("rank 0 of 2 on " + device + "; gave up after 2 s"));
        assertTrue(System.nanoTime() - start < 20_000_000_000L);
    }

    @Test
    void refusesOperandsWhoseSizesDoNotMatch() {
        var failure = assertThrows(IllegalArgumentException.class, () -> communicator.allGather(x, y.slice(0, 400)));
        assertEquals("target of 400 bytes, expected 4000", failure.getMessage());
        assertThrows(
                IllegalArgumentException.class,
                () -> communicator.allReduce(DType.F32, x.slice(0, 10), y.slice(0, 10)));
        assertThrows(IllegalArgumentException.class, () -> communicator.allReduce(DType.E4M3, x, y));
    }
}
