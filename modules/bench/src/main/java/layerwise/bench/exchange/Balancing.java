package layerwise.bench.exchange;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import layerwise.model.balance.Assignment;
import layerwise.model.balance.BalanceMethod;
import layerwise.model.balance.ExpertSelection;
import layerwise.model.layer.Traffic;
import layerwise.model.parallel.Mapping;
import layerwise.model.spec.ModelSpec;
import layerwise.model.spec.MoeSpec;
import layerwise.op.RankTokens;
import layerwise.op.Share;

/** Where the tokens of each problem go. */
public final class Balancing {
    private final Mapping mapping;
    private final BalanceMethod method;
    private final Assignment assignment;
    private final List<Integer> mixtures;
    private final Optional<MoeSpec> moe;
    private final String model;

    /** @param layers the layers that run */
    public Balancing(
            ModelSpec model,
            List<Integer> layers,
            Mapping mapping,
            BalanceMethod method,
            Map<String, String> environment) {
        this.mapping = mapping;
        this.method = method;
        this.assignment = Assignment.of(environment);
        this.model = model.name();
        this.mixtures = layers.stream()
                .filter(index -> model.layer(index).feedForward() instanceof MoeSpec)
                .toList();
        // The mixtures of a model are all alike.
        this.moe = layers.stream()
                .map(index -> model.layer(index).feedForward())
                .filter(MoeSpec.class::isInstance)
                .map(MoeSpec.class::cast)
                .findFirst();
    }

    /** The layers that have experts. */
    public List<Integer> mixtures() {
        return mixtures;
    }

    /** Their mixture, where there are any. */
    public Optional<MoeSpec> mixture() {
        return moe;
    }

    /** Experts of a token, where there are any. */
    public OptionalInt topK() {
        return moe.map(spec -> OptionalInt.of(spec.topK())).orElse(OptionalInt.empty());
    }

    /** The table that the balance method makes for a step's tokens; the router's choice where it makes none. */
    public ExpertTable table(Traffic traffic, OptionalDouble ratio) {
        if (moe.isEmpty() || method == BalanceMethod.NOT_MODIFIED) {
            return ExpertTable.routed();
        }
        List<ExpertTable.Chunk> chunks = new ArrayList<>();
        for (RankTokens tokens : traffic.chunks(mapping.dataRanks())) {
            chunks.add(chunk(tokens, ratio, moe.get()));
        }
        return new ExpertTable(chunks, moe.get().topK());
    }

    /** Each chunk is a table of its own, as each is a call of the router of its own. */
    private ExpertTable.Chunk chunk(RankTokens tokens, OptionalDouble ratio, MoeSpec spec) {
        Share own = mapping.experts(model, spec.experts());
        int perRank = (int) own.size();
        int self = mapping.group().rank();
        List<int[]> choices = new ArrayList<>();
        for (int dataRank = 0; dataRank < mapping.dataRanks(); dataRank++) {
            int count = dataRank == mapping.dataRank()
                    ? tokens.own()
                    : tokens.counts().get(dataRank);
            choices.add(new ExpertSelection(
                            count, spec.topK(), spec.experts(), mapping.group().size(), mapping.dataRanks(), dataRank)
                    .select(method, ratio, assignment)
                    .orElseThrow());
        }
        ChoiceLoad load = ChoiceLoad.of(
                choices, spec.topK(), mapping.dataRank(), mapping.group().rank(), (int) own.size());
        return new ExpertTable.Chunk(
                Arrays.stream(choices.get(mapping.dataRank())).boxed().toList(),
                load.experts(),
                load.exchange(mapping.dataRanks() > 1));
    }
}
