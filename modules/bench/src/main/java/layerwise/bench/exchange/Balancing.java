package layerwise.bench.exchange;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
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
                .filter(index -> model.layer(index).feedForward().orElse(null) instanceof MoeSpec)
                .toList();
        // The mixtures of a model are all alike.
        this.moe = layers.stream()
                .map(index -> model.layer(index).feedForward())
                .flatMap(Optional::stream)
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
            chunks.add(chunk(tokens, ratio));
        }
        return new ExpertTable(chunks, moe.get().topK());
    }

    /**
     * Which ranks have the same to do: for each rank the first one whose experts and links have the same load.
     *
     * @param traffic as any of the ranks sees it
     */
    public List<Integer> alike(Traffic traffic, OptionalDouble ratio) {
        List<Integer> first = new ArrayList<>();
        Map<List<Object>, Integer> seen = new HashMap<>();
        List<RankLoads> chunks = new ArrayList<>();
        if (moe.isPresent() && method != BalanceMethod.NOT_MODIFIED) {
            traffic.chunks(mapping.dataRanks()).forEach(tokens -> chunks.add(loads(tokens, selections(tokens, ratio))));
        }
        for (int rank = 0; rank < mapping.group().size(); rank++) {
            List<Object> own = new ArrayList<>();
            for (RankLoads loads : chunks) {
                own.add(loads.experts(rank));
                own.add(loads.exchange(rank));
            }
            first.add(seen.computeIfAbsent(own, added -> first.size()));
        }
        return first;
    }

    /** Each chunk is a table of its own, as each is a call of the router of its own. */
    private ExpertTable.Chunk chunk(RankTokens tokens, OptionalDouble ratio) {
        List<int[]> ids = selections(tokens, ratio);
        RankLoads loads = loads(tokens, ids);
        int self = mapping.group().rank();
        return new ExpertTable.Chunk(
                Arrays.stream(ids.get(mapping.dataRank())).boxed().toList(), loads.experts(self), loads.exchange(self));
    }

    /** What every data-parallel rank's tokens choose. */
    private List<int[]> selections(RankTokens tokens, OptionalDouble ratio) {
        MoeSpec spec = moe.orElseThrow();
        int dataRanks = mapping.dataRanks();
        mapping.experts(model, spec.experts());
        List<int[]> ids = new ArrayList<>();
        for (int dataRank = 0; dataRank < dataRanks; dataRank++) {
            int count = dataRanks == 1 ? tokens.own() : tokens.counts().get(dataRank);
            ids.add(new ExpertSelection(
                            count, spec.topK(), spec.experts(), mapping.group().size(), dataRanks, dataRank)
                    .select(method, ratio, assignment)
                    .orElseThrow());
        }
        return ids;
    }

    private RankLoads loads(RankTokens tokens, List<int[]> ids) {
        MoeSpec spec = moe.orElseThrow();
        RankLoads loads = new RankLoads(tokens.group().size(), spec.experts(), spec.topK(), mapping.dataRanks() > 1);
        for (int dataRank = 0; dataRank < ids.size(); dataRank++) {
            loads.add(dataRank, ids.get(dataRank));
        }
        return loads;
    }
}
