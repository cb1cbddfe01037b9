package layerwise.kernels;

import java.util.Locale;

/** What carries collectives between GPUs. */
public enum Carrier {
    /** Own kernels over memory that all GPUs reach. */
    PEERS,
    /** The NCCL library. */
    NCCL;

    /** As options spell it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
