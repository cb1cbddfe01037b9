package layerwise.bench.estimate;

import java.util.OptionalDouble;
import layerwise.trace.ProblemSpec;

/**
 * One problem of a sweep.
 *
 * @param where     what is the same along a curve of problems
 * @param problem   batch and lengths
 * @param estimated microseconds of the slowest rank's step
 * @param measured  the same of a report of that run, where there is one
 * @param gigabytes of one rank's weights and caches for these layers
 */
record SweepPoint(Series where, ProblemSpec problem, double estimated, OptionalDouble measured, double gigabytes) {
    /**
     * Everything but the problem.
     *
     * @param model       its name
     * @param runType     CTX or GEN
     * @param layers      layers that the step runs
     * @param modelLayers layers of the whole model
     * @param gpu         name of the GPU's file
     * @param ranks       GPUs
     * @param gpusPerNode GPUs of a machine
     * @param attention   DP or TP
     * @param backend     of the mixtures of experts
     * @param memory      gigabytes of the GPU
     */
    record Series(
            String model,
            String runType,
            String layers,
            int layerCount,
            int modelLayers,
            String gpu,
            int ranks,
            int gpusPerNode,
            String attention,
            String backend,
            double memory) {
        /** As in {@code h100-sxm, 8 ranks, DP, CUTLASS}. */
        String label() {
            return "%s, %d %s, %s, %s".formatted(gpu, ranks, ranks == 1 ? "rank" : "ranks", attention, backend);
        }
    }

    /** The measured time where there is one. */
    double micros() {
        return measured.orElse(estimated);
    }

    /** Milliseconds of a step through as many layers like these as the model has. */
    double latencyMillis() {
        return micros() / 1e3 * where.modelLayers() / where.layerCount();
    }

    /** Query tokens a second that one GPU has its part in, through as many layers like these as the model has. */
    double throughput() {
        double tokens = problem.tokens();
        return (where.attention().equals("TP") ? tokens / where.ranks() : tokens) / latencyMillis() * 1e3;
    }

    /** Whether these layers alone fit into the GPU's memory. */
    boolean fits() {
        return gigabytes <= where.memory();
    }
}
