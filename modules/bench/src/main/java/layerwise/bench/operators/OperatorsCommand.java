package layerwise.bench.operators;

import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import layerwise.bench.config.OperatorChoice;
import layerwise.bench.config.RunConfig;
import layerwise.bench.config.RunOptions;
import layerwise.bench.device.Devices;
import layerwise.bench.device.Installation;
import layerwise.bench.exchange.RankSlice;
import layerwise.bench.ranks.Agreement;
import layerwise.bench.ranks.Ranks;
import layerwise.bench.run.Recording;
import layerwise.model.spec.ModelCatalog;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightSource;
import layerwise.op.Executor;
import layerwise.op.Journal;
import layerwise.tensor.ConfigException;

/** Parses the command line of {@code operators} and runs it. */
public final class OperatorsCommand {
    private OperatorsCommand() {}

    /**
     * Times every operator of every problem of a configuration alone.
     *
     * @param environment names the folder of the files, and how products are tuned
     * @throws ConfigException if the configuration or the environment cannot be used
     */
    public static void run(List<String> arguments, Map<String, String> environment, PrintStream out, PrintStream err) {
        Ranks.run(environment, out, err, here -> run(arguments, environment, here, out));
    }

    private static void run(List<String> arguments, Map<String, String> environment, Ranks.Here here, PrintStream out) {
        List<RunOptions.Own> own = List.of(OperatorChoice.option("time"));
        Optional<RunOptions.Parsed> parsed = RunOptions.parse("operators", own, arguments, out);
        if (parsed.isEmpty()) {
            return;
        }
        RunConfig config = parsed.get().config();
        OperatorChoice choice = OperatorChoice.of(parsed.get());
        if (config.shareGpu()) {
            throw new ConfigException(
                    "%s: share_gpu: ranks would time each other's operators; expected a GPU for each rank"
                            .formatted(config.configFile()));
        }
        Map<String, Object> settings = new TreeMap<>(config.arguments());
        settings.put(OperatorChoice.OPTION, choice.globs());
        Agreement.require(here.rendezvous(), settings);
        ModelSpec model = new ModelCatalog(Installation.home().resolve("configs/models")).find(config.model());
        RankSlice slice = RankSlice.of(
                config,
                model,
                new WeightSource.Noise(OperatorRun.SEED),
                here.rank().group(),
                here.rank().localWorld(),
                Devices.links(config.device(), here, false),
                environment);
        Recording recording = Recording.of(environment);
        recording.prepare();
        try (Executor device =
                Devices.open(config.device(), Journal.NONE, Devices.options(config, environment), here, false)) {
            OperatorFiles files =
                    OperatorFiles.of(recording.folder(), here.rank(), device.device(), config.arguments());
            here.together(() -> {
                new OperatorRun(config, slice, choice, device, files, here.rendezvous(), out).run();
                device.leave();
            });
        }
    }
}
