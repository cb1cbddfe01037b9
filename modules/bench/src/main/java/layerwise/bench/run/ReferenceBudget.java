package layerwise.bench.run;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import layerwise.bench.config.DeviceChoice;
import layerwise.bench.config.RunConfig;
import layerwise.bench.config.RunType;
import layerwise.bench.device.Devices;
import layerwise.bench.exchange.Exchange;
import layerwise.model.cache.PagedCache;
import layerwise.model.cache.RotaryTable;
import layerwise.model.layer.DecoderSlice;
import layerwise.model.layer.ExpertChoice;
import layerwise.model.layer.Phase;
import layerwise.op.Batch;
import layerwise.op.Operator;
import layerwise.tensor.ConfigException;
import layerwise.trace.ProblemSpec;

/** Whether the reference executor may stand in where nobody asked for it: only for about a minute. */
final class ReferenceBudget {
    /** Prefill of 4 x 1,024 tokens of tiny-deepseek: 4.2 GFLOP/s over all operators on two virtual x86-64 cores. */
    private static final double FLOPS_PER_CORE = 2.1e9;

    /** Dummy weights and caches a second: 1.17 GB of bfloat16 in 10.6 s on the same two cores. */
    private static final double BYTES_PER_CORE = 55e6;

    private static final double SECONDS = 60;

    private final RunConfig config;
    private final DecoderSlice slice;
    private final PagedCache cache;
    private final Optional<RotaryTable> rotary;
    private final Prefill prefill;
    private final Exchange exchange;
    private final int ranks;
    private final long bytes;

    /**
     * @param ranks ranks that share this machine
     * @param bytes of one rank's weights and caches
     */
    ReferenceBudget(
            RunConfig config,
            DecoderSlice slice,
            PagedCache cache,
            Optional<RotaryTable> rotary,
            Prefill prefill,
            Exchange exchange,
            int ranks,
            long bytes) {
        this.config = config;
        this.slice = slice;
        this.cache = cache;
        this.rotary = rotary;
        this.prefill = prefill;
        this.exchange = exchange;
        this.ranks = ranks;
        this.bytes = bytes;
    }

    /** @throws ConfigException if the device is left to us and the problems are too large for a machine without a GPU */
    void check() {
        if (!(config.device() instanceof DeviceChoice.Auto)
                || !(Devices.resolve(config.device()) instanceof DeviceChoice.Reference)) {
            return;
        }
        double seconds = seconds();
        if (seconds > SECONDS) {
            throw new ConfigException(String.format(
                    Locale.ROOT,
                    "device: no GPU answers here and the reference executor would take about %.0f minutes;"
                            + " expected --device reference to wait for it, or --device estimate:<gpu>",
                    Math.ceil(seconds / 60)));
        }
    }

    private double seconds() {
        int cores = Runtime.getRuntime().availableProcessors();
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
        return ranks * (flops / (FLOPS_PER_CORE * cores) + bytes / (BYTES_PER_CORE * cores));
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
