package layerwise.bench.run;

import java.io.Console;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import layerwise.bench.config.DeviceChoice;
import layerwise.bench.config.LoadFormat;
import layerwise.bench.config.RunConfig;
import layerwise.bench.config.RunOptions;
import layerwise.bench.device.Installation;
import layerwise.bench.ranks.Agreement;
import layerwise.bench.ranks.Ranks;
import layerwise.model.layer.SliceTensors;
import layerwise.model.spec.ModelCatalog;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightSource;
import layerwise.tensor.ConfigException;
import layerwise.tensor.safetensors.SafetensorsFolder;

/** Parses the command line of {@code run} and runs it. */
public final class RunCommand {
    private RunCommand() {}

    /** What runs where the device is an estimate. */
    public interface Estimates {
        /** Estimates every problem of a configuration. */
        void run(
                RunConfig config,
                ModelSpec model,
                DeviceChoice.Estimate device,
                List<String> arguments,
                Map<String, String> environment,
                PrintStream out,
                PrintStream err);
    }

    /**
     * Measures every problem of a configuration.
     *
     * @param environment variables of the process
     * @param estimates   runs instead where that is asked for
     * @throws ConfigException if the configuration, the environment or a file cannot be used
     * @throws layerwise.tensor.WrongResultException if outputs are not what they must be
     */
    public static void run(
            List<String> arguments,
            Map<String, String> environment,
            PrintStream out,
            PrintStream err,
            Estimates estimates) {
        Ranks.run(environment, out, err, here -> run(arguments, environment, here, out, err, estimates));
    }

    private static void run(
            List<String> arguments,
            Map<String, String> environment,
            Ranks.Here here,
            PrintStream out,
            PrintStream err,
            Estimates estimates) {
        Optional<RunConfig> parsed = RunOptions.parse("run.sh", arguments, out);
        if (parsed.isEmpty()) {
            return;
        }
        RunConfig config = parsed.get();
        Agreement.require(here.rendezvous(), settings(config, environment));
        out.println(config.argsLine());
        ModelSpec model = new ModelCatalog(Installation.home().resolve("configs/models")).find(config.model());
        if (config.device() instanceof DeviceChoice.Estimate estimate) {
            estimates.run(config, model, estimate, arguments, environment, out, err);
            return;
        }
        // JDK 25 gives no console where there is no terminal, some builds one that says so.
        boolean terminal =
                Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
        Progress progress = new Progress(err, terminal, here.rank().rank() == 0);
        try (Arena checkpoint = Arena.ofShared()) {
            WeightSource source = source(config, model, checkpoint);
            new RunSequence(config, model, source, here, environment, progress, out).run(arguments);
        }
    }

    /** What must be the same on every rank: options, what the environment forces, and the program itself. */
    private static Map<String, Object> settings(RunConfig config, Map<String, String> environment) {
        Map<String, Object> settings = new TreeMap<>(config.arguments());
        environment.forEach((name, value) -> {
            if (name.startsWith("TRTLLM_")) {
                settings.put(name, value);
            }
        });
        for (String name : List.of("PROFILE", "PROFILER")) {
            settings.put(name, environment.getOrDefault(name, ""));
        }
        settings.put("version", Version.current());
        return settings;
    }

    private static WeightSource source(RunConfig config, ModelSpec model, Arena arena) {
        return switch (config.loadFormat()) {
            case DUMMY -> new WeightSource.Dummy();
            case AUTO -> {
                Path folder = Path.of(config.model());
                if (!Files.isDirectory(folder)) {
                    throw new ConfigException(
                            "%s: model '%s' with load_format %s: expected a local checkpoint folder, or load_format %s"
                                    .formatted(config.configFile(), config.model(), LoadFormat.AUTO, LoadFormat.DUMMY));
                }
                SafetensorsFolder checkpoint = SafetensorsFolder.open(folder, arena);
                yield new WeightSource.Checkpoint(
                        checkpoint, SliceTensors.checking(model, config.layerIndices(), checkpoint));
            }
        };
    }
}
