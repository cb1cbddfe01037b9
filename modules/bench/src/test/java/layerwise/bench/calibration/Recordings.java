package layerwise.bench.calibration;

import java.net.URISyntaxException;
import java.nio.file.Path;

/**
 * Calibration files that a Python program wrote as the reference tool does, with {@code json}, {@code zlib} and {@code base64}.
 * Token t of a rank chose slot {@code (5·rank + 3·iteration + 7·layer + t + j·(1 + 2·(iteration mod 3))) mod 16} as its j-th of
 * four: {@code one_rank} in iterations 42 to 46, layers 3 to 5, four tokens; {@code two_ranks} in iterations 7 to 9, layers 3 and
 * 4; {@code chunked} in iterations 1 to 3, layer 3, two chunks of two tokens.
 */
public final class Recordings {
    private Recordings() {}

    /** The file of that name. */
    public static Path file(String name) {
        try {
            return Path.of(Recordings.class
                    .getResource("/calibration/" + name + ".json")
                    .toURI());
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    static int slot(int rank, int iteration, int layer, int token, int j) {
        return (5 * rank + 3 * iteration + 7 * layer + token + j * (1 + 2 * (iteration % 3))) % 16;
    }
}
