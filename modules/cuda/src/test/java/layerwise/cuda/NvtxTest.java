package layerwise.cuda;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;

class NvtxTest {
    @Test
    void isThereExactlyWhereItsLibraryIs() {
        assertEquals(Libraries.has(CudaLibrary.NVTX), Nvtx.load().isPresent());
    }

    @Test
    void pushesRangesThatNobodyWatches() {
        assumeTrue(Nvtx.load().isPresent(), "this machine has no libnvtx3interop");
        Nvtx nvtx = Nvtx.load().orElseThrow();
        Nvtx.Range range = nvtx.range("MLA");
        assertDoesNotThrow(() -> {
            range.push();
            range.mark();
            nvtx.pop();
        });
    }
}
