package layerwise.bench.verify;

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
import layerwise.bench.exchange.Balancing;
import layerwise.bench.exchange.Exchange;
import layerwise.bench.ranks.Agreement;
import layerwise.bench.ranks.Ranks;
import layerwise.kernels.CudaOptions;
import layerwise.model.balance.BalanceMethod;
import layerwise.model.parallel.Mapping;
import layerwise.model.parallel.WeakScaling;
import layerwise.model.spec.ModelCatalog;
import layerwise.model.spec.ModelSpec;
import layerwise.op.Executor;
import layerwise.op.Journal;
import layerwise.tensor.ConfigException;
import layerwise.trace.ProblemSpec;

/** Parses the command line of {@code verify} and runs it. */
public final class VerifyCommand {
    private VerifyCommand() {}

    /**
     * Checks every operator of every problem of a configuration.
     *
     * @throws ConfigException if the configuration cannot be used
     * @throws layerwise.tensor.WrongResultException if an operator differs by more than its tolerance
     */
    public static void run(List<String> arguments, Map<String, String> environment, PrintStream out, PrintStream err) {
        Ranks.run(environment, out, err, here -> run(arguments, environment, here, out));
    }

    private static void run(List<String> arguments, Map<String, String> environment, Ranks.Here here, PrintStream out) {
        List<RunOptions.Own> own = List.of(OperatorChoice.option("check, the others by the reference alone"));
        Optional<RunOptions.Parsed> parsed = RunOptions.parse("verify", own, arguments, out);
        if (parsed.isEmpty()) {
            return;
        }
        RunConfig config = parsed.get().config();
        OperatorChoice choice = OperatorChoice.of(parsed.get());
        ModelSpec model = new ModelCatalog(Installation.home().resolve("configs/models")).find(config.model());
        Map<String, Object> settings = new TreeMap<>(config.arguments());
        settings.put(OperatorChoice.OPTION, choice.globs());
        Agreement.require(here.rendezvous(), settings);
        Mapping mapping = new Mapping(here.rank().group(), config.attentionDp());
        ModelSpec scaled = config.scaledFrom().isPresent()
                ? new WeakScaling(config.scaledFrom().getAsInt(), mapping).of(model)
                : model;
        config.layerIndices().forEach(scaled::layer);
        Balancing balancing = new Balancing(scaled, config.layerIndices(), mapping, balanceMethod(config), environment);
        Exchange exchange = Exchange.of(
                config,
                mapping,
                balancing.topK(),
                here.rank().localWorld(),
                Devices.links(config.device(), here, config.shareGpu()),
                environment);
        try (Executor device =
                Devices.open(config.device(), Journal.NONE, CudaOptions.plain(), here, config.shareGpu())) {
            here.together(() -> {
                try (LayerVerification verification = new LayerVerification(
                        config, choice, scaled, mapping, exchange, balancing, device, here.rendezvous(), out)) {
                    for (ProblemSpec problem : config.problems()) {
                        verification.verify(problem);
                    }
                    device.leave();
                    verification.conclude();
                }
            });
        }
    }

    /** Layers are compared with one rank's under a constant choice of experts, so that no rounding sends a token elsewhere. */
    private static BalanceMethod balanceMethod(RunConfig config) {
        return config.balanceMethod() == BalanceMethod.NOT_MODIFIED ? BalanceMethod.BALANCED : config.balanceMethod();
    }
}
