package layerwise.bench.config;

import java.util.List;
import java.util.OptionalInt;

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

    /**
     * A roofline clock without arithmetic, for the GPU that {@code configs/gpus/<gpu>.yaml} describes.
     *
     * @param gpu         the file's name, without {@code .yaml}
     * @param ranks       ranks that one process simulates
     * @param gpusPerNode ranks of one machine; empty for as many as such machines usually have
     */
    record Estimate(String gpu, int ranks, OptionalInt gpusPerNode) implements DeviceChoice {
        @Override
        public String toString() {
            return "estimate:" + gpu;
        }
    }

    /**
     * The choice that a word names.
     *
     * @param place what messages start with, the option for example
     * @throws layerwise.tensor.ConfigException if it names none
     */
    static DeviceChoice parse(String place, String word) {
        return of(new Setting(place, List.of(word)));
    }

    /** The choice that an option's only word names. */
    private static DeviceChoice of(Setting setting) {
        String estimate = "estimate:";
        String word = setting.word();
        if (word.startsWith(estimate) && !word.equals(estimate)) {
            return new Estimate(word.substring(estimate.length()), 1, OptionalInt.empty());
        }
        return switch (word) {
            case "auto" -> new Auto();
            case "cuda" -> new Cuda();
            case "reference" -> new Reference();
            default -> throw setting.refused(List.of("auto", "cuda", "reference", "estimate:<gpu>"), word);
        };
    }
}
