package layerwise.bench.config;

/** Which executor runs the layers, printed as the option spells it. */
public sealed interface DeviceChoice {
    /** CUDA where a driver and a GPU answer, else the reference executor for problems that are small enough. */
    record Auto() implements DeviceChoice {
        @Override
        public String toString() {
            return "auto";
        }
    }

    /** An NVIDIA GPU. */
    record Cuda() implements DeviceChoice {
        @Override
        public String toString() {
            return "cuda";
        }
    }

    /** Plain Java. */
    record Reference() implements DeviceChoice {
        @Override
        public String toString() {
            return "reference";
        }
    }

    /** A roofline clock without arithmetic, for the GPU that {@code configs/gpus/<gpu>.yaml} describes. */
    record Estimate(String gpu) implements DeviceChoice {
        @Override
        public String toString() {
            return "estimate:" + gpu;
        }
    }
}
