package layerwise.bench.estimate;

import java.util.Map;
import java.util.OptionalDouble;
import layerwise.bench.config.RunConfig;
import layerwise.bench.config.RunType;
import layerwise.bench.exchange.Balancing;
import layerwise.bench.exchange.Links;
import layerwise.bench.exchange.RankSlice;
import layerwise.bench.moe.ExpertPath;
import layerwise.kernels.CudaExecutor;
import layerwise.model.layer.Phase;
import layerwise.model.layer.Traffic;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightSource;
import layerwise.op.Batch;
import layerwise.op.Program;
import layerwise.op.RankGroup;
import layerwise.trace.ProblemSpec;

/**
 * What one rank of a run does: the layers, mapping, exchange and fusions that it would have on the device, and no tensor's
 * memory.
 */
final class RankPlan {
    private final RunConfig config;
    private final RankSlice slice;

    /**
     * Plans a rank.
     *
     * @param whole       the model, before {@code scaled_from}
     * @param localRanks  ranks of one machine
     * @param links       what joins the ranks
     * @param environment variables that force methods
     * @throws layerwise.tensor.ConfigException if the layers do not divide over the ranks, or options contradict each other
     */
    RankPlan(
            RunConfig config,
            ModelSpec whole,
            RankGroup group,
            int localRanks,
            Links links,
            Map<String, String> environment) {
        this.config = config;
        slice = RankSlice.of(config, whole, new WeightSource.Dummy(), group, localRanks, links, environment);
    }

    /** Bytes of the rank's weights and caches. */
    long bytes() {
        return slice.bytes();
    }

    /** What ranks send each other in a problem's step. */
    Traffic traffic(ProblemSpec problem) {
        return slice.exchange().traffic(problem.tokens());
    }

    Balancing balancing() {
        return slice.balancing();
    }

    /** For people: what happens between ranks. */
    String exchange() {
        return slice.exchange().toString();
    }

    /** A problem's step as the layers emit it. */
    Program plain(ProblemSpec problem) {
        Traffic traffic = traffic(problem);
        OptionalDouble ratio = problem.balanceRatio();
        Batch batch = Batch.uniform(problem.batchSize(), problem.seqLenQ(), problem.seqLenKvCache());
        return slice.step(
                config.runType() == RunType.GEN ? Phase.GENERATION : Phase.CONTEXT,
                batch,
                slice.balancing().table(traffic, ratio).choice(),
                traffic);
    }

    /** A problem's step as a GPU runs it. */
    Program step(ProblemSpec problem) {
        Program plain = plain(problem);
        return ExpertPath.of(config.configFile() + ": moe_backend", config.moe().backend(), plain)
                .apply(plain, CudaExecutor.fused());
    }
}
