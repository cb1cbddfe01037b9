package layerwise.bench.device;

import layerwise.bench.config.DeviceChoice;
import layerwise.cuda.DeviceInfo;
import layerwise.cuda.DeviceUnavailableException;
import layerwise.kernels.CudaExecutor;
import layerwise.kernels.CudaOptions;
import layerwise.op.Capabilities;
import layerwise.op.Executor;
import layerwise.op.Journal;
import layerwise.reference.ReferenceExecutor;
import layerwise.tensor.ConfigException;

/** Opens the executor that the user chose. */
public final class Devices {
    private Devices() {}

    /**
     * The choice without {@code auto}: CUDA where a driver and a GPU answer, else the reference executor.
     */
    public static DeviceChoice resolve(DeviceChoice choice) {
        if (!(choice instanceof DeviceChoice.Auto)) {
            return choice;
        }
        try {
            return DeviceInfo.all().isEmpty() ? new DeviceChoice.Reference() : new DeviceChoice.Cuda();
        } catch (DeviceUnavailableException e) {
            return new DeviceChoice.Reference();
        }
    }

    /**
     * Opens it.
     *
     * @throws ConfigException if it cannot be had here
     */
    public static Executor open(DeviceChoice choice, Journal journal, CudaOptions options) {
        return switch (resolve(choice)) {
            case DeviceChoice.Auto auto -> throw new IllegalStateException("auto was resolved");
            case DeviceChoice.Reference reference -> new ReferenceExecutor(journal, Capabilities.plain());
            case DeviceChoice.Cuda cuda -> {
                try {
                    yield CudaExecutor.open(0, journal, options);
                } catch (DeviceUnavailableException e) {
                    throw new ConfigException(
                            "device: cuda: %s; --device reference or --device estimate:<gpu> need none"
                                    .formatted(e.getMessage()),
                            e);
                }
            }
            case DeviceChoice.Estimate estimate ->
                throw new ConfigException("device: '%s': this build has no estimating executor; use --device reference"
                        .formatted(estimate));
        };
    }
}
