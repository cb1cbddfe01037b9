package layerwise.bench.verify;

import java.io.PrintStream;
import java.util.List;
import java.util.Optional;
import layerwise.bench.config.Problem;
import layerwise.bench.config.RunConfig;
import layerwise.bench.config.RunOptions;
import layerwise.bench.config.RunType;
import layerwise.bench.device.Devices;
import layerwise.bench.device.Installation;
import layerwise.kernels.CudaOptions;
import layerwise.model.layer.Phase;
import layerwise.model.spec.ModelCatalog;
import layerwise.model.spec.ModelSpec;
import layerwise.op.Executor;
import layerwise.op.Journal;
import layerwise.tensor.ConfigException;

/** Parses the command line of {@code verify} and runs it. */
public final class VerifyCommand {
    private VerifyCommand() {}

    /**
     * Checks every operator of every problem of a configuration.
     *
     * @throws ConfigException if the configuration cannot be used
     * @throws layerwise.tensor.WrongResultException if an operator differs by more than its tolerance
     */
    public static void run(List<String> arguments, PrintStream out) {
        Optional<RunConfig> parsed = RunOptions.parse("verify", arguments, out);
        if (parsed.isEmpty()) {
            return;
        }
        RunConfig config = parsed.get();
        ModelSpec model = new ModelCatalog(Installation.home().resolve("configs/models")).find(config.model());
        config.layerIndices().forEach(model::layer);
        Phase phase = config.runType() == RunType.GEN ? Phase.GENERATION : Phase.CONTEXT;
        try (Executor device = Devices.open(config.device(), Journal.NONE, CudaOptions.plain());
                LayerVerification verification = new LayerVerification(config, model, device, out)) {
            for (Problem problem : config.problems()) {
                verification.verify(phase, problem);
            }
            verification.conclude();
        }
    }
}
