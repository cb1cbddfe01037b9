package layerwise.bench.run;

import java.io.Console;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import layerwise.bench.config.LoadFormat;
import layerwise.bench.config.RunConfig;
import layerwise.bench.config.RunOptions;
import layerwise.bench.device.Installation;
import layerwise.model.spec.ModelCatalog;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightSource;
import layerwise.tensor.ConfigException;
import layerwise.tensor.safetensors.SafetensorsFolder;

/** Parses the command line of {@code run} and runs it. */
public final class RunCommand {
    private RunCommand() {}

    /**
     * Measures every problem of a configuration.
     *
     * @param environment variables of the process
     * @throws ConfigException if the configuration, the environment or a file cannot be used
     * @throws layerwise.tensor.WrongResultException if outputs are not what they must be
     */
    public static void run(List<String> arguments, Map<String, String> environment, PrintStream out, PrintStream err) {
        Optional<RunConfig> parsed = RunOptions.parse("run.sh", arguments, out);
        if (parsed.isEmpty()) {
            return;
        }
        RunConfig config = parsed.get();
        Rank rank = Rank.of(environment);
        out.println(config.argsLine());
        ModelSpec model = new ModelCatalog(Installation.home().resolve("configs/models")).find(config.model());
        // JDK 25 gives no console where there is no terminal, some builds one that says so.
        boolean terminal =
                Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
        Progress progress = new Progress(err, terminal, rank.rank() == 0);
        try (Arena checkpoint = Arena.ofShared()) {
            WeightSource source = source(config, checkpoint);
            new RunSequence(config, model, source, rank, environment, progress, out).run(arguments);
        }
    }

    private static WeightSource source(RunConfig config, Arena arena) {
        return switch (config.loadFormat()) {
            case DUMMY -> new WeightSource.Dummy();
            case AUTO -> {
                Path folder = Path.of(config.model());
                if (!Files.isDirectory(folder)) {
                    throw new ConfigException(
                            "%s: model '%s' with load_format %s: expected a local checkpoint folder, or load_format %s"
                                    .formatted(config.configFile(), config.model(), LoadFormat.AUTO, LoadFormat.DUMMY));
                }
                yield new WeightSource.Checkpoint(SafetensorsFolder.open(folder, arena));
            }
        };
    }
}
