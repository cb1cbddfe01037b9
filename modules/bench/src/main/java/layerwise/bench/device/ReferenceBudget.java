package layerwise.bench.device;

import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;
import layerwise.bench.config.DeviceChoice;
import layerwise.op.Buffer;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.TensorRef;
import layerwise.tensor.ConfigException;

/**
 * What the reference executor is to do, and whether it may stand in where nobody asked for it: only for about a minute.
 *
 * @param flops of the operators that run, one rank's
 * @param bytes of weights and caches that are made up, one rank's
 */
public record ReferenceBudget(double flops, double bytes) {
    /** Prefill of 4 x 1,024 tokens of tiny-deepseek: 4.2 GFLOP/s over all operators on two virtual x86-64 cores. */
    private static final double FLOPS_PER_CORE = 2.1e9;

    /** Dummy weights and caches a second: 1.17 GB of bfloat16 in 10.6 s on the same two cores. */
    private static final double BYTES_PER_CORE = 55e6;

    private static final double SECONDS = 60;

    /**
     * Of programs whose operators each run so often.
     *
     * @param programs of problems, with the same weights
     */
    public static ReferenceBudget of(Collection<Program> programs, int times) {
        double flops = 0;
        Set<Buffer> read = new LinkedHashSet<>();
        for (Program program : programs) {
            for (Operator operator : program.operators()) {
                flops += times * (double) operator.work().flops();
                operator.inputs().stream().map(TensorRef::buffer).forEach(read::add);
            }
        }
        return new ReferenceBudget(
                flops, read.stream().mapToDouble(Buffer::bytes).sum());
    }

    /**
     * Refuses what takes too long on this machine.
     *
     * @param ranks ranks that share it
     * @throws ConfigException if the device is left to us and the work is too much for a machine without a GPU
     */
    public void check(DeviceChoice device, int ranks) {
        if (!(device instanceof DeviceChoice.Auto) || !(Devices.resolve(device) instanceof DeviceChoice.Reference)) {
            return;
        }
        int cores = Runtime.getRuntime().availableProcessors();
        double seconds = ranks * (flops / (FLOPS_PER_CORE * cores) + bytes / (BYTES_PER_CORE * cores));
        if (seconds > SECONDS) {
            throw new ConfigException(String.format(
                    Locale.ROOT,
                    "device: no GPU answers here and the reference executor would take about %.0f minutes;"
                            + " expected --device reference to wait for it, or --device estimate:<gpu>",
                    Math.ceil(seconds / 60)));
        }
    }
}
