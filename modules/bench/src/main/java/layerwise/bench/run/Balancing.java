package layerwise.bench.run;

import java.util.Map;
import java.util.Optional;
import layerwise.bench.config.Problem;
import layerwise.bench.config.RunConfig;
import layerwise.model.balance.Assignment;
import layerwise.model.balance.ExpertSelection;
import layerwise.model.spec.ModelSpec;
import layerwise.model.spec.MoeSpec;

/** Where the tokens of each problem go. */
final class Balancing {
    private final RunConfig config;
    private final Rank rank;
    private final Assignment assignment;
    private final Optional<MoeSpec> moe;

    Balancing(RunConfig config, ModelSpec model, Rank rank, Map<String, String> environment) {
        this.config = config;
        this.rank = rank;
        this.assignment = Assignment.of(environment);
        // The mixtures of a model are all alike.
        this.moe = config.layerIndices().stream()
                .map(index -> model.layer(index).feedForward())
                .flatMap(Optional::stream)
                .filter(MoeSpec.class::isInstance)
                .map(MoeSpec.class::cast)
                .findFirst();
    }

    /** The table that the balance method makes for a problem's tokens; the router's choice where it makes none. */
    ExpertTable table(Problem problem) {
        if (moe.isEmpty()) {
            return ExpertTable.routed();
        }
        int topK = moe.get().topK();
        int dpSize = config.attentionDp() ? rank.world() : 1;
        ExpertSelection selection = new ExpertSelection(
                problem.tokens(),
                topK,
                moe.get().experts(),
                rank.world(),
                dpSize,
                config.attentionDp() ? rank.rank() : 0);
        return selection
                .select(config.balanceMethod(), problem.balanceRatio(), assignment)
                .map(ids -> ExpertTable.fixed(ids, topK))
                .orElse(ExpertTable.routed());
    }
}
