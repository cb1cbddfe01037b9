package layerwise.bench.run;

import layerwise.bench.config.Problem;
import layerwise.bench.config.RunConfig;
import layerwise.model.spec.ModelSpec;

/** Where the tokens of each problem go. */
final class Balancing {
    private final RunConfig config;
    private final ModelSpec model;

    Balancing(RunConfig config, ModelSpec model) {
        this.config = config;
        this.model = model;
    }

    ExpertTable table(Problem problem) {
        return ExpertTable.routed();
    }
}
