package layerwise.bench.collectives;

import java.util.Locale;
import java.util.Optional;
import layerwise.kernels.Carrier;

/** What the user wants collectives carried by. */
enum CarrierChoice {
    /** NCCL. */
    NCCL(Optional.of(Carrier.NCCL)),
    /** Own kernels over peer memory. */
    PEERS(Optional.of(Carrier.PEERS)),
    /** Whatever a layer's run would take for a size. */
    AUTO(Optional.empty());

    private final Optional<Carrier> only;

    CarrierChoice(Optional<Carrier> only) {
        this.only = only;
    }

    /** What an executor is asked for. */
    Optional<Carrier> only() {
        return only;
    }

    /** Whether it takes a collective: equal parts to all are an exchange that NCCL alone has. */
    boolean takes(Collective collective) {
        return collective != Collective.ALL_TO_ALL || this == NCCL;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
