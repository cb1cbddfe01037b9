package layerwise.bench.device;

import java.io.PrintStream;
import java.util.List;
import layerwise.cuda.DeviceInfo;
import layerwise.cuda.DeviceUnavailableException;
import layerwise.cuda.LibraryReport;
import layerwise.tensor.ConfigException;

/** The {@code devices} command: GPUs and libraries, from where, in which version, and what each absence disables. */
public final class DevicesCommand {
    private DevicesCommand() {}

    /**
     * Prints what there is; that there is no GPU is no error here.
     *
     * @throws ConfigException if there are arguments
     */
    public static void run(List<String> arguments, PrintStream out) {
        if (!arguments.isEmpty()) {
            throw new ConfigException(
                    "command line: devices takes no arguments, found '%s'".formatted(arguments.getFirst()));
        }
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
