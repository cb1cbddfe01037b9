package layerwise.op;

import java.util.List;
import layerwise.tensor.DType;

/**
 * Brings experts' results home and adds them up: {@code y[t] = Σ_r x_r[first+t]} over the ranks r that have one of the
 * experts {@code ids[t,:]}, in rank order, rounded once. Rows have been weighed by their experts' ranks.
 *
 * @param x       {@code [ΣT,H]}, contiguous; rows of tokens without an expert here are not read
 * @param ids     {@code [T_r,k]} int32, contiguous: this rank's own choices
 * @param y       {@code [T_r,H]}, contiguous
 * @param tokens  T_r of each rank
 * @param experts E, of all ranks
 * @param method  how
 * @param wire    format on the links
 * @param load    rows that travelled on the way there, for the cost
 */
public record AllToAllCombine(
        TensorRef x,
        TensorRef ids,
        TensorRef y,
        RankTokens tokens,
        int experts,
        AllToAllMethod method,
        Wire wire,
        ExchangeLoad load)
        implements Operator {
    /** What rows are while they travel. */
    public enum Wire {
        /** As they are stored. */
        STORED,
        /**
         * E4M3, each run of {@link #FP8_RUN} elements with a float32 scale: its largest magnitude over 448, or 1 where all
         * are zero. An element travels as {@code e4m3(x / scale)} and counts as that times the scale, in float32. A rank's
         * own rows do not travel and stay as they are.
         */
        FP8
    }

    /** Neighbouring elements that share a scale. */
    public static final int FP8_RUN = 128;

    public AllToAllCombine {
        Expect.rank("AllToAllCombine", "x", x, 2);
        Expect.shape("AllToAllCombine", "x", x, tokens.total(), x.dim(1));
        Expect.rank("AllToAllCombine", "ids", ids, 2);
        Expect.dtype("AllToAllCombine", "ids", ids, DType.I32);
        Expect.shape("AllToAllCombine", "ids", ids, tokens.own(), ids.dim(1));
        Expect.shape("AllToAllCombine", "y", y, tokens.own(), x.dim(1));
        Expect.contiguous("AllToAllCombine", x, ids, y);
        AllToAllDispatch.checkExperts("AllToAllCombine", experts, tokens.group());
    }

    /** Experts of one rank. */
    public int expertsPerRank() {
        return experts / tokens.group().size();
    }

    @Override
    public List<TensorRef> inputs() {
        return List.of(x, ids);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(y);
    }

    /** In memory: rows for other ranks and own rows are read once, sums written once. Over links: the dispatch reversed. */
    @Override
    public Work work() {
        long width = x.dim(1);
        double row = switch (wire) {
            case STORED -> x.dtype().bytes(width);
            case FP8 -> width + 4.0 * Math.ceilDiv(width, (long) FP8_RUN);
        };
        double stored = x.dtype().bytes(width);
        long bytes = Math.round(stored * (load.received() + tokens.own()) + ids.bytes() + y.bytes());
        return new Work(Math.round(load.sent() * width), bytes, load.linkBytes(row), Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%d %s E%d top %d R%d %s%s"
                .formatted(
                        tokens.own(),
                        x.dim(1),
                        x.dtype(),
                        experts,
                        ids.dim(1),
                        tokens.group().size(),
                        method,
                        wire == Wire.FP8 ? " fp8" : "");
    }
}
