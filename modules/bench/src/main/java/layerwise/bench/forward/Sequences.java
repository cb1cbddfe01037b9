package layerwise.bench.forward;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import layerwise.model.layer.Traffic;
import layerwise.model.parallel.Mapping;
import layerwise.op.AllToAllCombine.Wire;
import layerwise.op.RankTokens;
import layerwise.tensor.ConfigException;
import layerwise.tensor.HostTensor;

/**
 * Which sequences of a batch are this rank's: all of them, or under attention data parallelism a part, the first ranks having
 * one more where they do not divide.
 *
 * @param mapping the ranks
 * @param counts  sequences of each rank
 * @param all     B
 */
record Sequences(Mapping mapping, List<Integer> counts, int all) {
    /** @throws ConfigException if a rank would have none */
    static Sequences of(Mapping mapping, int all) {
        int parts = mapping.dataRanks();
        if (all < parts) {
            throw new ConfigException(
                    "command line: %d sequences for %d ranks with --enable-attention-dp: expected at most %d"
                            .formatted(all, parts, all));
        }
        List<Integer> counts = new ArrayList<>();
        for (int rank = 0; rank < mapping.group().size(); rank++) {
            counts.add(parts == 1 ? all : all / parts + (rank < all % parts ? 1 : 0));
        }
        return new Sequences(mapping, counts, all);
    }

    int count() {
        return counts.get(mapping.group().rank());
    }

    /** This rank's part of a tensor {@code [B,..]}. */
    HostTensor of(HostTensor tensor) {
        int first = mapping.dataRanks() == 1
                ? 0
                : counts.subList(0, mapping.group().rank()).stream()
                        .mapToInt(Integer::intValue)
                        .sum();
        return tensor.slice(0, first, first + count());
    }

    /** What ranks send each other in a step of {@code queries} tokens a sequence. */
    Traffic traffic(int queries) {
        List<Integer> tokens = counts.stream().map(count -> count * queries).toList();
        return new Traffic(new RankTokens(mapping.group(), tokens), Optional.empty(), Wire.STORED, OptionalInt.empty());
    }
}
