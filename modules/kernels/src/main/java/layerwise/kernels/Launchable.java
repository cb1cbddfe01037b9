package layerwise.kernels;

import java.util.List;
import layerwise.cuda.CudaStream;

/** Prepared device work; launching it allocates nothing. */
interface Launchable {
    void launch(CudaStream stream);

    /** No work. */
    Launchable NOTHING = stream -> {};

    /** One after the other on the same stream. */
    static Launchable sequence(Launchable first, Launchable second) {
        return stream -> {
            first.launch(stream);
            second.launch(stream);
        };
    }

    /** One after the other on the same stream. */
    static Launchable sequence(List<Launchable> launches) {
        Launchable[] all = launches.toArray(Launchable[]::new);
        return stream -> {
            for (Launchable launchable : all) {
                launchable.launch(stream);
            }
        };
    }
}
