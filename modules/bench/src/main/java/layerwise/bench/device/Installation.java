package layerwise.bench.device;

import java.nio.file.Path;
import layerwise.bench.config.RunOptions;
import layerwise.tensor.ConfigException;

/** The folder that holds {@code configs/}. */
public final class Installation {
    private Installation() {}

    /** @throws ConfigException if the launcher did not say where it is */
    public static Path home() {
        String home = System.getProperty(RunOptions.HOME_PROPERTY);
        if (home == null) {
            throw new ConfigException("java: property %s is missing: expected -D%1$s=the installation's folder"
                    .formatted(RunOptions.HOME_PROPERTY));
        }
        return Path.of(home);
    }
}
