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
import layerwise.op.ExchangeLoad;
import layerwise.op.ExpertLoad;
import layerwise.op.RankTokens;
import layerwise.op.Share;

/** Where the tokens of each problem go. */
public final class Balancing {
    private final Mapping mapping;
    private final BalanceMethod method;
    private final Assignment assignment;
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
        // The mixtures of a model are all alike.
        this.moe = layers.stream()
                .map(index -> model.layer(index).feedForward())
                .flatMap(Optional::stream)
                .filter(MoeSpec.class::isInstance)
                .map(MoeSpec.class::cast)
                .findFirst();
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
        int[] ownIds = new int[0];
        long rows = 0;
        boolean[] active = new boolean[perRank];
        long sent = 0;
        long received = 0;
        for (int dataRank = 0; dataRank < mapping.dataRanks(); dataRank++) {
            boolean mine = dataRank == mapping.dataRank();
            int count = mine ? tokens.own() : tokens.counts().get(dataRank);
            int[] ids = new ExpertSelection(
                            count, spec.topK(), spec.experts(), mapping.group().size(), mapping.dataRanks(), dataRank)
                    .select(method, ratio, assignment)
                    .orElseThrow();
            for (int id : ids) {
                if (id / perRank == self) {
                    rows++;
                    active[id % perRank] = true;
                }
            }
            if (mine) {
                ownIds = ids;
                sent = pairs(ids, spec.topK(), perRank, self, false);
            } else {
                received += pairs(ids, spec.topK(), perRank, self, true);
            }
        }
        long activeExperts = 0;
        for (boolean used : active) {
            activeExperts += used ? 1 : 0;
        }
        boolean travels = mapping.dataRanks() > 1;
        return new ExpertTable.Chunk(
                Arrays.stream(ownIds).boxed().toList(),
                new ExpertLoad(rows, activeExperts),
                travels ? new ExchangeLoad(sent, received) : new ExchangeLoad(0, 0));
    }

    /** Pairs of a token and a rank that has one of its experts: this rank only, or all others. */
    private static long pairs(int[] ids, int topK, int perRank, int self, boolean toSelf) {
        long pairs = 0;
        for (int row = 0; row < ids.length; row += topK) {
            pairs += Arrays.stream(ids, row, row + topK)
                    .map(id -> id / perRank)
                    .distinct()
                    .filter(rank -> (rank == self) == toSelf)
                    .count();
        }
        return pairs;
    }
}
