package layerwise.bench.device;

import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import layerwise.bench.config.DeviceChoice;
import layerwise.bench.ranks.Ranks;
import layerwise.cuda.DeviceInfo;
import layerwise.cuda.DeviceUnavailableException;
import layerwise.cuda.LibraryReport;
import layerwise.estimate.GpuFacts;
import layerwise.kernels.CudaOptions;
import layerwise.op.Executor;
import layerwise.op.Journal;
import layerwise.tensor.ConfigException;

/** The {@code devices} command: GPUs and libraries, from where, in which version, and what each absence disables. */
public final class DevicesCommand {
    private static final int EDGE = 8192;
    private static final int STREAMED_ROWS = 32_768;

    private DevicesCommand() {}

    /**
     * Prints what there is; that there is no GPU is no error here. With {@code --measure} also what the first GPU reaches at
     * best, or between several ranks their links.
     *
     * @throws ConfigException if there are other arguments, or nothing to measure
     */
    public static void run(List<String> arguments, Map<String, String> environment, PrintStream out, PrintStream err) {
        boolean measure = arguments.equals(List.of("--measure"));
        if (!arguments.isEmpty() && !measure) {
            throw new ConfigException(
                    "command line: devices: expected --measure or nothing, found '%s'".formatted(arguments.getFirst()));
        }
        if (measure) {
            Ranks.run(environment, out, err, here -> measure(here, out));
        } else {
            list(out);
        }
    }

    private static void measure(Ranks.Here here, PrintStream out) {
        CudaOptions options = new CudaOptions(CudaOptions.Tuning.ON, Optional.empty(), false);
        try (Executor executor = Devices.open(new DeviceChoice.Cuda(), Journal.NONE, options, here, false)) {
            here.together(() -> {
                Map<String, Double> rates = new Ceilings(executor, EDGE, STREAMED_ROWS).measure(here.rendezvous());
                executor.leave();
                if (here.rank().rank() == 0) {
                    Optional<GpuFacts> gpu =
                            GpuFile.of(executor.device(), Installation.home().resolve("configs/gpus"));
                    out.println(executor.device());
                    Ceilings.lines(rates, gpu).forEach(out::println);
                    out.println(Ceilings.yaml(rates));
                }
            });
        }
    }

    private static void list(PrintStream out) {
        out.println("reference: %d processors".formatted(Runtime.getRuntime().availableProcessors()));
        LibraryReport.take().lines().forEach(out::println);
        try {
            for (DeviceInfo gpu : DeviceInfo.all()) {
                out.println("cuda: device %d  %s  compute capability %s  %d multiprocessors  %d MiB"
                        .formatted(
                                gpu.ordinal(),
                                gpu.name(),
                                gpu.computeCapability(),
                                gpu.multiprocessors(),
                                gpu.memoryBytes() >> 20));
            }
        } catch (DeviceUnavailableException e) {
            out.println("cuda: " + e.getMessage());
        }
    }
}
