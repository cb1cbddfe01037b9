package layerwise.bench.config;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalDouble;
import layerwise.trace.ProblemSpec;

/**
 * The four list options, none of them empty, in the order and with the duplicates given.
 *
 * @param batchSizes each at least 1
 * @param seqLensQ query tokens, each at least 1
 * @param seqLensKvCache tokens already cached, each at least 0
 * @param balanceRatios shares in [0, 1], or empty for "no ratio"
 */
public record Sweep(
        List<Integer> batchSizes,
        List<Integer> seqLensQ,
        List<Integer> seqLensKvCache,
        List<OptionalDouble> balanceRatios) {
    public Sweep {
        batchSizes = List.copyOf(batchSizes);
        seqLensQ = List.copyOf(seqLensQ);
        seqLensKvCache = List.copyOf(seqLensKvCache);
        balanceRatios = List.copyOf(balanceRatios);
        if (batchSizes.isEmpty() || seqLensQ.isEmpty() || seqLensKvCache.isEmpty() || balanceRatios.isEmpty()) {
            throw new IllegalArgumentException("a list of the sweep is empty");
        }
    }

    /** The Cartesian product: batch size outermost, then query length, cached length, balance ratio innermost. */
    public List<ProblemSpec> problems() {
        List<ProblemSpec> problems = new ArrayList<>();
        for (int batchSize : batchSizes) {
            for (int seqLenQ : seqLensQ) {
                for (int seqLenKvCache : seqLensKvCache) {
                    for (OptionalDouble balanceRatio : balanceRatios) {
                        problems.add(new ProblemSpec(batchSize, seqLenQ, seqLenKvCache, balanceRatio));
                    }
                }
            }
        }
        return Collections.unmodifiableList(problems);
    }

    int largestBatchSize() {
        return Collections.max(batchSizes);
    }

    int largestSeqLenQ() {
        return Collections.max(seqLensQ);
    }

    int largestSeqLenKvCache() {
        return Collections.max(seqLensKvCache);
    }
}
