package layerwise.bench.device;

import layerwise.bench.config.DeviceChoice;
import layerwise.op.Capabilities;
import layerwise.op.Executor;
import layerwise.op.Journal;
import layerwise.reference.ReferenceExecutor;
import layerwise.tensor.ConfigException;

/** Opens the executor that the user chose. */
public final class Devices {
    private Devices() {}

    /**
     * Opens it.
     *
     * @throws ConfigException if it cannot be had here
     */
    public static Executor open(DeviceChoice choice, Journal journal) {
        return switch (choice) {
            case DeviceChoice.Auto auto -> new ReferenceExecutor(journal, Capabilities.plain());
            case DeviceChoice.Reference reference -> new ReferenceExecutor(journal, Capabilities.plain());
            case DeviceChoice.Cuda cuda ->
                throw new ConfigException("device: 'cuda': this build has no CUDA executor; use --device reference");
            case DeviceChoice.Estimate estimate ->
                throw new ConfigException("device: '%s': this build has no estimating executor; use --device reference"
                        .formatted(estimate));
        };
    }
}
