package layerwise.kernels;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import layerwise.cuda.AlgorithmFile;
import layerwise.cuda.CudaEvent;
import layerwise.cuda.CudaStream;
import layerwise.cuda.Device;
import layerwise.cuda.MatmulAlgorithm;
import layerwise.cuda.MatmulPlan;
import layerwise.cuda.MatmulProblem;

/** Chooses cuBLASLt algorithms by timing the library's suggestions, once for each problem: of a
 * process, or of all runs that share a file. */
final class ProductTuner {
    /** Suggestions that are tried. */
    static final int SUGGESTIONS = 8;

    private static final int REPEATS = 5;

    private final Device device;
    private final CudaStream stream;
    private final CudaOptions.Tuning tuning;
    private final Optional<AlgorithmFile> file;
    private final Map<String, MatmulAlgorithm> chosen = new HashMap<>();

    /** @param file what earlier runs found */
    ProductTuner(Device device, CudaStream stream, CudaOptions.Tuning tuning, Optional<AlgorithmFile> file) {
        this.device = device;
        this.stream = stream;
        this.tuning = tuning;
        this.file = file;
    }

    /** The algorithm for a plan whose addresses are bound; trying it overwrites its output. */
    MatmulAlgorithm choose(MatmulPlan plan, List<MatmulAlgorithm> suggestions) {
        return switch (tuning) {
            case OFF -> suggestions.getFirst();
            case ON -> {
                MatmulAlgorithm known = chosen.get(plan.problem().toString());
                if (known == null) {
                    known = file.flatMap(kept -> kept.find(plan.problem()))
                            .filter(plan::supports)
                            .orElseGet(() -> fastest(plan, suggestions));
                    remember(plan.problem(), known);
                }
                yield known;
            }
        };
    }

    private void remember(MatmulProblem problem, MatmulAlgorithm algorithm) {
        chosen.put(problem.toString(), algorithm);
        file.ifPresent(kept -> kept.put(problem, algorithm));
    }

    /** Writes the file of what was found. */
    void keep() {
        file.ifPresent(AlgorithmFile::write);
    }

    /** Each suggestion is run once unmeasured and then several times between two events. */
    private MatmulAlgorithm fastest(MatmulPlan plan, List<MatmulAlgorithm> suggestions) {
        MatmulAlgorithm best = suggestions.getFirst();
        double least = Double.POSITIVE_INFINITY;
        try (CudaEvent start = device.createTimer();
                CudaEvent stop = device.createTimer()) {
            for (MatmulAlgorithm candidate : suggestions) {
                plan.use(candidate).launch(stream);
                stream.record(start);
                for (int i = 0; i < REPEATS; i++) {
                    plan.launch(stream);
                }
                stream.record(stop);
                stop.synchronize();
                double micros = stop.microsSince(start);
                if (micros < least) {
                    least = micros;
                    best = candidate;
                }
            }
        }
        return best;
    }
}
