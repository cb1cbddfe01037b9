package layerwise.trace;

import java.util.OptionalDouble;

/**
 * One problem of a run, as its marker states it.
 *
 * @param batchSize     sequences
 * @param seqLenQ       new tokens of each sequence
 * @param seqLenKvCache tokens of each sequence that are cached already
 * @param balanceRatio  ratio of the balance method; empty where the method takes none
 */
public record ProblemSpec(int batchSize, int seqLenQ, int seqLenKvCache, OptionalDouble balanceRatio) {}
