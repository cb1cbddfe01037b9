package layerwise.bench.estimate;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import layerwise.bench.config.RunConfig;
import layerwise.bench.config.RunOptions;
import layerwise.bench.exchange.Links;
import layerwise.model.spec.ModelCatalog;
import layerwise.model.spec.ModelSpec;
import layerwise.op.RankGroup;

/** Configurations and plans of the shipped models. */
final class Plans {
    private static final ModelCatalog MODELS =
            new ModelCatalog(Path.of(System.getProperty("layerwise.home"), "configs", "models"));

    private Plans() {}

    static RunConfig config(String... arguments) {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        return RunOptions.parse("test", List.of(arguments), nowhere).orElseThrow();
    }

    /** {@code config_gen.yaml} or {@code config_ctx.yaml} of a model with more options. */
    static RunConfig shipped(String runType, String model, String... more) {
        List<String> arguments =
                new ArrayList<>(List.of(runType.equals("GEN") ? "config_gen.yaml" : "config_ctx.yaml"));
        arguments.addAll(List.of("--model", model));
        arguments.addAll(Arrays.asList(more));
        return config(arguments.toArray(String[]::new));
    }

    static ModelSpec model(String name) {
        return MODELS.find(name);
    }

    static RankPlan plan(RunConfig config, int rank, int ranks) {
        return new RankPlan(
                config, model(config.model()), new RankGroup(rank, ranks), ranks, new Links(true, true), Map.of());
    }
}
