package layerwise.bench.run;

import java.util.List;
import java.util.Optional;
import layerwise.bench.config.RunConfig;
import layerwise.bench.config.RunType;
import layerwise.bench.device.ReferenceBudget;
import layerwise.bench.exchange.Exchange;
import layerwise.model.cache.PagedCache;
import layerwise.model.cache.RotaryTable;
import layerwise.model.layer.DecoderSlice;
import layerwise.model.layer.ExpertChoice;
import layerwise.model.layer.Phase;
import layerwise.op.Batch;
import layerwise.op.Operator;
import layerwise.trace.ProblemSpec;

/** What a run is for the reference executor. */
final class RunWork {
    private final RunConfig config;
    private final DecoderSlice slice;
    private final PagedCache cache;
    private final Optional<RotaryTable> rotary;
    private final Prefill prefill;
    private final Exchange exchange;
    private final long bytes;

    /** @param bytes of one rank's weights and caches */
    RunWork(
            RunConfig config,
            DecoderSlice slice,
            PagedCache cache,
            Optional<RotaryTable> rotary,
            Prefill prefill,
            Exchange exchange,
            long bytes) {
        this.config = config;
        this.slice = slice;
        this.cache = cache;
        this.rotary = rotary;
        this.prefill = prefill;
        this.exchange = exchange;
        this.bytes = bytes;
    }

    ReferenceBudget budget() {
        double flops = 0;
        if (config.runType() == RunType.GEN) {
            for (Prefill.Pass pass : prefill.passes()) {
                flops += flops(Phase.CONTEXT, pass.first(), pass.batch());
            }
        }
        for (ProblemSpec problem : config.problems()) {
            Phase phase = config.runType() == RunType.GEN ? Phase.GENERATION : Phase.CONTEXT;
            int iterations = 2 * (config.warmupTimes() + config.runTimes() + 1) + 1;
            flops += iterations * flops(phase, 0, RunSequence.batch(problem));
        }
        return new ReferenceBudget(flops, bytes);
    }

    /** Prefill in decode runs is not the measured step. */
    private Exchange traffic(Phase phase) {
        boolean prefill = config.runType() == RunType.GEN && phase == Phase.CONTEXT;
        return prefill ? exchange.ofPrefill() : exchange;
    }

    private double flops(Phase phase, int first, Batch batch) {
        List<Operator> operators = slice.benchmark(
                        phase,
                        cache.tables("step", first, batch).paged(),
                        rotary.map(RotaryTable::tensor),
                        new ExpertChoice.Routed(),
                        traffic(phase).traffic(batch.tokens()))
                .program()
                .operators();
        return operators.stream().mapToDouble(o -> (double) o.work().flops()).sum();
    }
}
