package layerwise.op;

import java.util.List;

/**
 * Messages among the processes of a run, over host memory. Ranks bootstrap over it, and executors without links of their
 * own carry collectives over it. All ranks make the same calls in the same order, each from one thread.
 *
 * <p>A call that cannot complete because a rank is gone does not return: it ends the process or throws.
 */
public interface Communicator extends AutoCloseable {
    /** Who takes part. */
    RankGroup group();

    /** Every rank's message, in rank order; lengths may differ. */
    List<byte[]> allGather(byte[] own);

    /** One message to each rank, in rank order; gives the message of each rank to this one. Lengths may differ. */
    List<byte[]> exchange(List<byte[]> toEach);

    /** Returns once every rank is here. */
    default void barrier() {
        allGather(new byte[0]);
    }

    @Override
    void close();

    /** Of one process that talks to itself. */
    static Communicator alone() {
        return new Communicator() {
            @Override
            public RankGroup group() {
                return RankGroup.alone();
            }

            @Override
            public List<byte[]> allGather(byte[] own) {
                return List.of(own.clone());
            }

            @Override
            public List<byte[]> exchange(List<byte[]> toEach) {
                return List.of(toEach.getFirst().clone());
            }

            @Override
            public void close() {}
        };
    }
}
