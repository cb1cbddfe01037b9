package layerwise.op;

import java.util.List;

/**
 * Where the processes of a run find each other and exchange a few bytes: what ranks compare their configurations over, and
 * executors bootstrap their own links over. All ranks make the same calls in the same order, each from one thread.
 *
 * <p>A call that cannot complete because a rank is gone does not return: it ends the process or throws.
 */
public interface Rendezvous extends AutoCloseable {
    /** Who takes part. */
    RankGroup group();

    /** Every rank's message, in rank order; lengths may differ. */
    List<byte[]> allGather(byte[] own);

    /** Returns once every rank is here. */
    default void barrier() {
        allGather(new byte[0]);
    }

    /**
     * Gives up: the other ranks' processes end soon. This one is ended, too, or goes on to its own end.
     *
     * @param status exit status of those that are ended
     */
    void abort(int status);

    /** Leaves, once every rank does. */
    @Override
    void close();
}
