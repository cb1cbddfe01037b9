package layerwise.bench.collectives;

import java.math.BigInteger;
import java.util.List;
import java.util.Optional;
import layerwise.op.AllGather;
import layerwise.op.AllReduce;
import layerwise.op.Buffer;
import layerwise.op.Operator;
import layerwise.op.RankGroup;
import layerwise.op.RankTokens;
import layerwise.op.ReduceScatter;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;

/**
 * A collective of one size in bfloat16.
 *
 * @param bytes of the buffer that every rank adds up; of all ranks' output of a gather; of all ranks' input of a scatter; of
 *              what one rank sends to all, itself included. A multiple of {@link #granule}
 * @param group the ranks, and which of them this is
 */
record CollectiveShape(Collective collective, ByteSize bytes, RankGroup group) {
    private static final long WIDEST = 4096;

    CollectiveShape {
        if (bytes.bytes() % granule(group.size()) != 0) {
            throw new IllegalArgumentException("%s among %d ranks".formatted(bytes, group.size()));
        }
    }

    /** Sizes are multiples of this: every rank's part is whole vectors of 16 bytes. */
    static long granule(int ranks) {
        return 16L * ranks;
    }

    /** Elements of a rank's part. */
    long part() {
        return bytes.bytes() / group.size() / DType.BF16.bytes(1);
    }

    /** Elements of a row. */
    long width() {
        return BigInteger.valueOf(part()).gcd(BigInteger.valueOf(WIDEST)).longValueExact();
    }

    /** Twice this is what the rank brings. */
    TensorRef given() {
        return tensor("given", collective == Collective.ALL_GATHER ? 1 : group.size());
    }

    /** What the rank brings. */
    TensorRef x() {
        return tensor("x", collective == Collective.ALL_GATHER ? 1 : group.size());
    }

    /** What the rank gets. */
    TensorRef y() {
        return tensor("y", collective == Collective.REDUCE_SCATTER ? 1 : group.size());
    }

    private TensorRef tensor(String name, long parts) {
        return Buffer.of(name, DType.BF16, parts * part() / width(), width()).whole();
    }

    /** The operator from x to y, if there is one. */
    Optional<Operator> operator() {
        RankTokens rows = RankTokens.uniform(group, Math.toIntExact(part() / width()));
        return switch (collective) {
            case ALL_REDUCE -> Optional.of(new AllReduce(x(), y(), group));
            case ALL_GATHER -> Optional.of(new AllGather(List.of(new AllGather.Part(x(), y())), rows));
            case REDUCE_SCATTER -> Optional.of(new ReduceScatter(x(), y(), rows));
            case ALL_TO_ALL -> Optional.empty();
        };
    }
}
