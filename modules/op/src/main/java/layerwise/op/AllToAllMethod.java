package layerwise.op;

/** Ways to bring tokens to their experts' ranks and back; results are the same up to the format on the links. */
public enum AllToAllMethod {
    /** Senders write into receivers' memory; the way back reads from it. */
    NVLINK_ONE_SIDED,
    /** Senders and receivers meet in FIFOs of peer memory, after they have agreed on counts. */
    NVLINK_TWO_SIDED,
    /** Messages of tokens packed for each rank, for throughput. */
    DEEP_EP,
    /** Messages into fixed places for each rank, for latency. */
    DEEP_EP_LOW_LATENCY
}
