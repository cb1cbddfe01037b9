package layerwise.bench.collectives;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import layerwise.bench.config.DeviceChoice;
import layerwise.bench.device.Devices;
import layerwise.bench.ranks.Agreement;
import layerwise.bench.ranks.Ranks;
import layerwise.bench.run.Recording;
import layerwise.kernels.CudaOptions;
import layerwise.op.Executor;
import layerwise.op.Journal;
import layerwise.tensor.ConfigException;

/** Parses the command line of {@code collectives} and runs it. */
public final class CollectivesCommand {
    private CollectivesCommand() {}

    /**
     * Times collectives between all ranks of a job; rank 0 prints and writes files.
     *
     * @param environment names the folder of the files
     * @throws ConfigException if the command line cannot be used, there is one rank alone, or a carrier cannot be had
     * @throws layerwise.tensor.WrongResultException if a collective leaves wrong numbers
     */
    public static void run(List<String> arguments, Map<String, String> environment, PrintStream out, PrintStream err) {
        Ranks.run(environment, out, err, here -> run(arguments, environment, here, out));
    }

    private static void run(List<String> arguments, Map<String, String> environment, Ranks.Here here, PrintStream out) {
        Optional<CollectiveOptions> parsed = CollectiveOptions.parse(arguments, out);
        if (parsed.isEmpty()) {
            return;
        }
        CollectiveOptions options = parsed.get();
        int ranks = here.rank().world();
        if (ranks == 1) {
            throw new ConfigException("collectives: 1 rank: expected several ranks,"
                    + " as in: NP=2 ./mpi_launch.sh ./layerwise collectives");
        }
        Agreement.require(here.rendezvous(), Map.of("command line", arguments));
        boolean reference = Devices.resolve(options.device()) instanceof DeviceChoice.Reference;
        List<ByteSize> sizes = options.sizes(ranks, reference);
        List<CarrierChoice> carriers = options.carriers(reference);
        options.require(carriers);
        Recording recording = Recording.of(environment);
        recording.prepare();
        List<TimedCollective> rows = new ArrayList<>();
        for (CarrierChoice carrier : carriers) {
            CudaOptions cuda = CudaOptions.plain().carriedBy(carrier.only());
            try (Executor device = Devices.open(options.device(), Journal.NONE, cuda, here, false)) {
                CollectiveFiles files = CollectiveFiles.of(
                        recording.folder(), device.device(), ranks, Map.of("command line", arguments));
                here.together(() -> {
                    new CollectiveRun(options, sizes, carrier, device, here, files, rows, out).run();
                    device.leave();
                });
            }
        }
    }
}
