package layerwise.model.balance;

import java.util.Map;

/** How balanced rows are spread over experts. */
public enum Assignment {
    /** Walks round the ranks, and on each rank round its experts. */
    ROUND_ROBIN,
    /** Gives every expert as many tokens, but which ones is pseudo-random; takes no account of ranks. */
    RANDOM;

    private static final String VARIABLE = "TRTLLM_LAYERWISE_BENCHMARK_BALANCED_IMPL";

    /** {@link #RANDOM} where the environment says {@code TRTLLM_LAYERWISE_BENCHMARK_BALANCED_IMPL=RANDOM}. */
    public static Assignment of(Map<String, String> environment) {
        return RANDOM.name().equals(environment.get(VARIABLE)) ? RANDOM : ROUND_ROBIN;
    }
}
