package layerwise.bench.forward;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;

/**
 * Options of a forward run.
 *
 * @param model     checkpoint folder
 * @param layers    layers to run, contiguous
 * @param phases    steps on one continuing cache, in order: names that start with {@code ctx} or {@code gen}
 * @param inputs    file with {@code P.layers.L.input}
 * @param output    file to write, where one is asked for
 * @param compute   type of activations and cache: F32 or BF16
 * @param expect    file with what should come out
 * @param tolerance greatest relative error of each tensor
 */
record ForwardOptions(
        Path model,
        List<Integer> layers,
        List<String> phases,
        Path inputs,
        Optional<Path> output,
        DType compute,
        Optional<Path> expect,
        double tolerance) {
    ForwardOptions {
        layers = List.copyOf(layers);
        phases = List.copyOf(phases);
        if (phases.isEmpty()) {
            throw new ConfigException("command line: --phases: expected at least one, for example ctx,gen1");
        }
        for (String phase : phases) {
            if (!phase.startsWith("ctx") && !phase.startsWith("gen")) {
                throw new ConfigException(
                        "command line: --phases: '%s': expected names that start with ctx or gen".formatted(phase));
            }
        }
        if (!(tolerance > 0)) {
            throw new ConfigException("command line: --tolerance: expected a positive number, got " + tolerance);
        }
    }
}
