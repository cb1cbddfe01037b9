package layerwise.report.plot;

import java.util.Arrays;
import java.util.List;
import layerwise.trace.ProblemSpec;
import layerwise.trace.TraceException;

/** A number that problems differ in, by the name of its option. */
public enum Dimension {
    BATCH_SIZE("batch_size", "sequences"),
    SEQ_LEN_Q("seq_len_q", "tokens"),
    SEQ_LEN_KV_CACHE("seq_len_kv_cache", "tokens");

    private final String option;
    private final String unit;

    Dimension(String option, String unit) {
        this.option = option;
        this.unit = unit;
    }

    /**
     * The dimension of this name.
     *
     * @throws TraceException if there is none
     */
    public static Dimension named(String name) {
        List<String> known =
                Arrays.stream(values()).map(dimension -> dimension.option).toList();
        return Arrays.stream(values())
                .filter(dimension -> dimension.option.equals(name))
                .findFirst()
                .orElseThrow(() -> new TraceException("--over " + name + ": expected batch_size, seq_len_q or"
                        + " seq_len_kv_cache" + NearestName.hint(name, known)));
    }

    /** What it counts. */
    public String unit() {
        return unit;
    }

    /** Its value in a problem. */
    public int of(ProblemSpec problem) {
        return switch (this) {
            case BATCH_SIZE -> problem.batchSize();
            case SEQ_LEN_Q -> problem.seqLenQ();
            case SEQ_LEN_KV_CACHE -> problem.seqLenKvCache();
        };
    }

    /** The problem without it: problems that agree in all else have equal ones. */
    ProblemSpec without(ProblemSpec problem) {
        return new ProblemSpec(
                this == BATCH_SIZE ? 0 : problem.batchSize(),
                this == SEQ_LEN_Q ? 0 : problem.seqLenQ(),
                this == SEQ_LEN_KV_CACHE ? 0 : problem.seqLenKvCache(),
                problem.balanceRatio());
    }

    @Override
    public String toString() {
        return option;
    }
}
