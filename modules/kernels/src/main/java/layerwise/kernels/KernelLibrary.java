package layerwise.kernels;

import java.util.HashMap;
import java.util.Map;
import layerwise.cuda.CubinCatalog;
import layerwise.cuda.Device;
import layerwise.cuda.Kernel;
import layerwise.cuda.KernelImage;

/** The shipped CUBINs on one device, loaded when first asked for. */
final class KernelLibrary {
    private final Device device;
    private final CubinCatalog catalog;
    private final Map<String, KernelImage> images = new HashMap<>();

    /** @throws layerwise.cuda.DeviceUnavailableException if nothing was compiled for this GPU */
    KernelLibrary(Device device) {
        this.device = device;
        this.catalog = CubinCatalog.read(file -> KernelLibrary.class.getResourceAsStream("cubin/" + file));
        catalog.requireSupport(device.info());
    }

    CubinCatalog catalog() {
        return catalog;
    }

    Kernel kernel(String operation, String symbol) {
        return images.computeIfAbsent(operation, name -> catalog.load(device, name))
                .kernel(symbol);
    }
}
