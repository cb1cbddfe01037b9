package layerwise.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.time.Duration;
import layerwise.cuda.CudaStream;
import layerwise.cuda.Device;
import layerwise.cuda.DeviceInfo;
import layerwise.cuda.DeviceUnavailableException;
import layerwise.cuda.LaunchShape;
import layerwise.cuda.PeerException;
import layerwise.cuda.PeerGroup;
import layerwise.cuda.SharedMemory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Tag("gpu")
class PeerTimeoutIT {
    @BeforeAll
    static void needsGpu() {
        try {
            assumeTrue(!DeviceInfo.all().isEmpty(), "the driver shows no device");
        } catch (DeviceUnavailableException e) {
            abort(e.getMessage());
        }
    }

    @Test
    @Timeout(60)
    void aRankThatDoesNotComeIsNamedAndLaterKernelsDoNotWait() {
        ThreadRanks.run(3, communicator -> {
            int rank = communicator.group().rank();
            try (Arena arena = Arena.ofConfined();
                    Device device = Device.open(0)) {
                PeerGroup group = PeerGroup.join(device, rank, 3, Duration.ofMillis(300), communicator::allGather);
                SharedMemory x = group.allocate(4096);
                CudaStream stream = device.createStream();
                stream.fill(x.own(), (byte) 0);
                KernelCall call = new KernelCall(
                                new KernelLibrary(device).kernel("peer_all_reduce", "peer_all_reduce_f32"),
                                LaunchShape.of(1, 512),
                                arena)
                        .struct(group.struct(arena))
                        .pointer(device.allocate(4096).address())
                        .struct(x.addresses().struct(arena))
                        .wide(1024);
                communicator.barrier();
                if (rank != 2) {
                    long start = System.nanoTime();
                    for (int i = 0; i < 100; i++) {
                        call.launch(stream);
                    }
                    device.synchronize();
                    assertTrue(System.nanoTime() - start < 5_000_000_000L, "later kernels wait as well");
                    PeerException failure = assertThrows(PeerException.class, group::check);
                    assertEquals(2, failure.peer());
                    assertTrue(failure.getMessage().startsWith("rank " + rank + " of 3 waited 0 s in vain for rank 2"));
                }
                communicator.barrier();
            }
        });
    }
}
