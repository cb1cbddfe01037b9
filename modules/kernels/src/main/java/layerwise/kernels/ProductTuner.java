package layerwise.kernels;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import layerwise.cuda.AlgorithmFile;
import layerwise.cuda.CudaEvent;
import layerwise.cuda.CudaStream;
import layerwise.cuda.Device;
import layerwise.cuda.DeviceBuffer;
import layerwise.cuda.MatmulAlgorithm;
import layerwise.cuda.MatmulPlan;
import layerwise.cuda.MatmulProblem;

/** Chooses cuBLASLt algorithms by timing the library's suggestions, once for each problem: of a
 * process, or of all runs that share a file. */
final class ProductTuner {
    /** Suggestions that are tried. */
    static final int SUGGESTIONS = 8;

    private static final int TURNS = 5;

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

    /**
     * Suggestions take turns, so that all meet the same clocks, each launch with a cold cache, as a layer's weights are; the
     * least median wins. The first turn is not counted.
     */
    private MatmulAlgorithm fastest(MatmulPlan plan, List<MatmulAlgorithm> suggestions) {
        double[][] micros = new double[suggestions.size()][TURNS];
        try (CudaEvent start = device.createTimer();
                CudaEvent stop = device.createTimer();
                DeviceBuffer other = device.allocate(2 * device.info().l2Bytes())) {
            for (int turn = -1; turn < TURNS; turn++) {
                for (int i = 0; i < suggestions.size(); i++) {
                    plan.use(suggestions.get(i));
                    stream.fill(other, (byte) 0);
                    stream.record(start);
                    plan.launch(stream);
                    stream.record(stop);
                    stop.synchronize();
                    if (turn >= 0) {
                        micros[i][turn] = stop.microsSince(start);
                    }
                }
            }
        }
        int best = 0;
        for (int i = 0; i < micros.length; i++) {
            Arrays.sort(micros[i]);
            best = micros[i][TURNS / 2] < micros[best][TURNS / 2] ? i : best;
        }
        return suggestions.get(best);
    }
}
