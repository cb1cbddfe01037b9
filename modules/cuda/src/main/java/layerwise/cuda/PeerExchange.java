package layerwise.cuda;

import java.util.List;

/** Host messages between ranks, which all of them send in the same order. */
@FunctionalInterface
public interface PeerExchange {
    /** Every rank's message, in the order of ranks. */
    List<byte[]> allGather(byte[] own);
}
