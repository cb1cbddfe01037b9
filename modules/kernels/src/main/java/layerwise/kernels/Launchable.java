package layerwise.kernels;

import layerwise.cuda.CudaStream;

/** Prepared device work; launching it allocates nothing. */
interface Launchable {
    void launch(CudaStream stream);

    /** One after the other on the same stream. */
    static Launchable sequence(Launchable first, Launchable second) {
        return stream -> {
            first.launch(stream);
            second.launch(stream);
        };
    }
}
