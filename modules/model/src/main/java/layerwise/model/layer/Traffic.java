package layerwise.model.layer;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import layerwise.op.AllToAllCombine.Wire;
import layerwise.op.AllToAllMethod;
import layerwise.op.RankGroup;
import layerwise.op.RankTokens;

/**
 * What ranks send each other in a step.
 *
 * @param tokens      T of each rank; under tensor parallelism all have the same ones
 * @param allToAll    how data-parallel tokens reach their experts; empty for an all-gather and a reduce-scatter
 * @param wire        format of experts' results on their way home in an all-to-all
 * @param chunkTokens tokens of all ranks that mixtures of experts take at once; empty for any number
 */
public record Traffic(RankTokens tokens, Optional<AllToAllMethod> allToAll, Wire wire, OptionalInt chunkTokens) {
    public Traffic {
        if (chunkTokens.isPresent() && chunkTokens.getAsInt() < 1) {
            throw new IllegalArgumentException("chunks of %d tokens".formatted(chunkTokens.getAsInt()));
        }
    }

    /** None: one rank. */
    public static Traffic alone(int tokens) {
        return new Traffic(
                RankTokens.uniform(RankGroup.alone(), tokens), Optional.empty(), Wire.STORED, OptionalInt.empty());
    }

    /**
     * The tokens of each chunk: as many chunks as keep the tokens of all data-parallel ranks within the limit, each rank's
     * tokens split as evenly as they go, larger chunks first.
     *
     * @param dataRanks ranks whose tokens differ
     */
    public List<RankTokens> chunks(int dataRanks) {
        int together = dataRanks == 1 ? tokens.own() : tokens.total();
        int count = chunkTokens.isEmpty() ? 1 : Math.max(1, Math.ceilDiv(together, chunkTokens.getAsInt()));
        List<RankTokens> chunks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            List<Integer> ofRanks = new ArrayList<>();
            for (int whole : tokens.counts()) {
                ofRanks.add(whole / count + (i < whole % count ? 1 : 0));
            }
            chunks.add(new RankTokens(tokens.group(), ofRanks));
        }
        return Collections.unmodifiableList(chunks);
    }
}
