package layerwise.trace;

import java.util.OptionalDouble;

/**
 * One shape to measure, as its marker states it: an element of the product of a run's list options.
 *
 * @param batchSize     sequences, per rank under attention data parallelism
 * @param seqLenQ       query tokens of each sequence; in decode one plus the draft tokens
 * @param seqLenKvCache tokens of each sequence that are in the KV cache already
 * @param balanceRatio  share of tokens that stay balanced, in [0, 1]; empty where the method needs none
 */
public record ProblemSpec(int batchSize, int seqLenQ, int seqLenKvCache, OptionalDouble balanceRatio) {
    /** Query tokens of all sequences: the rows of the layer's input. */
    public int tokens() {
        return Math.multiplyExact(batchSize, seqLenQ);
    }
}
