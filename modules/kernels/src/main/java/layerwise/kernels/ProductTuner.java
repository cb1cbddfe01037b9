package layerwise.kernels;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import layerwise.cuda.CudaEvent;
import layerwise.cuda.CudaStream;
import layerwise.cuda.Device;
import layerwise.cuda.MatmulAlgorithm;
import layerwise.cuda.MatmulPlan;

/** Chooses cuBLASLt algorithms by timing the library's suggestions, once for each problem of a process. */
final class ProductTuner {
    /** Suggestions that are tried. */
    static final int SUGGESTIONS = 8;

    private static final int REPEATS = 5;

    private final Device device;
    private final CudaStream stream;
    private final CudaExecutor.Tuning tuning;
    private final Map<String, MatmulAlgorithm> chosen = new HashMap<>();

    ProductTuner(Device device, CudaStream stream, CudaExecutor.Tuning tuning) {
        this.device = device;
        this.stream = stream;
        this.tuning = tuning;
    }

    /** The algorithm for a plan whose addresses are bound; trying it overwrites its output. */
    MatmulAlgorithm choose(MatmulPlan plan, List<MatmulAlgorithm> suggestions) {
        return switch (tuning) {
            case OFF -> suggestions.getFirst();
            case ON -> {
                MatmulAlgorithm known = chosen.get(plan.problem().toString());
                if (known == null) {
                    known = fastest(plan, suggestions);
                    chosen.put(plan.problem().toString(), known);
                }
                yield known;
            }
        };
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
