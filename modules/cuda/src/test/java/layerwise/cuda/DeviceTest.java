package layerwise.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.UUID;
import org.junit.jupiter.api.Test;

class DeviceTest {
    @Test
    void isUnavailableInOneLineWhereThereIsNoDriver() {
        boolean driver = Libraries.has(CudaLibrary.RUNTIME) && DeviceInfo.driverVersion() > 0;
        assumeTrue(!driver, "this machine has a CUDA driver");
        var failure = assertThrows(DeviceUnavailableException.class, () -> Device.open(0));
        assertFalse(failure.getMessage().contains("\n"), failure.getMessage());
    }

    @Test
    void saysWhatWasAskedAndWhatIsFree() {
        var failure = new DeviceMemoryException(
                "cudaMalloc", "cudaErrorMemoryAllocation (2): out of memory", 68_719_476_736L, 12_100_000_000L, 0);
        assertEquals(
                "cudaMalloc: cudaErrorMemoryAllocation (2): out of memory; asked 68.7 GB, free 12.1 GB on device 0",
                failure.getMessage());
        assertEquals(68_719_476_736L, failure.askedBytes());
        assertEquals(12_100_000_000L, failure.freeBytes());
    }

    @Test
    void derivesBandwidthAndVersions() {
        var info = new DeviceInfo(
                0,
                "NVIDIA H100 80GB HBM3",
                9,
                0,
                80L << 30,
                132,
                50 << 20,
                227 << 10,
                1_980_000_000L,
                2_619_000_000L,
                5120,
                new UUID(1, 2),
                "0000:01:00.0",
                DeviceInfo.versionText(13_000),
                DeviceInfo.versionText(12_090));
        assertEquals("9.0", info.computeCapability());
        assertEquals("13.0", info.driver());
        assertEquals("12.9", info.runtime());
        assertEquals(3_352_320_000_000L, info.memoryBandwidth());
        assertEquals("sm_90", info.traced().chip());
    }
}
