package layerwise.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** The kernels of {@code probe.cu}, compiled for Hopper. */
public final class Probe {
    private static final String FILE = "probe.sm_90a.cubin";

    private Probe() {}

    public static KernelImage load(Device device) {
        return KernelImage.load(device, bytes(), FILE);
    }

    static byte[] bytes() {
        try (InputStream in = Probe.class.getResourceAsStream(FILE)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
