package layerwise.bench.device;

import java.util.Optional;
import layerwise.bench.config.DeviceChoice;
import layerwise.bench.exchange.Links;
import layerwise.bench.ranks.Rank;
import layerwise.bench.ranks.Ranks;
import layerwise.cuda.DeviceInfo;
import layerwise.cuda.DeviceUnavailableException;
import layerwise.kernels.CudaExecutor;
import layerwise.op.Capabilities;
import layerwise.op.Communicator;
import layerwise.op.Executor;
import layerwise.op.Journal;
import layerwise.op.Rendezvous;
import layerwise.reference.ReferenceExecutor;
import layerwise.tensor.ConfigException;

/** Opens the executor that the user chose. */
public final class Devices {
    private Devices() {}

    /**
     * The choice without {@code auto}: CUDA where a driver and a GPU answer, else the reference executor.
     */
    public static DeviceChoice resolve(DeviceChoice choice) {
        if (!(choice instanceof DeviceChoice.Auto)) {
            return choice;
        }
        try {
            return DeviceInfo.all().isEmpty() ? new DeviceChoice.Reference() : new DeviceChoice.Cuda();
        } catch (DeviceUnavailableException e) {
            return new DeviceChoice.Reference();
        }
    }

    /** Opens it for one rank alone. */
    public static Executor open(DeviceChoice choice, Journal journal, CudaExecutor.Tuning tuning) {
        return open(choice, journal, tuning, Ranks.alone(), false);
    }

    /** This rank's GPU; ranks beyond the machine's GPUs begin again with the first, and may be refused for sharing it. */
    private static int ordinal(Rank rank) {
        int gpus = DeviceInfo.all().size();
        return gpus == 0 ? 0 : rank.localRank() % gpus;
    }

    /** What the ranks' devices are connected by. */
    public static Links links(Executor executor) {
        return executor instanceof CudaExecutor cuda
                ? new Links(cuda.topology().nvlink(), cuda.topology().peerAccess())
                : Links.ofMessages();
    }

    /** Whether times of this executor mean nothing, since other ranks use its GPU, too. */
    public static boolean isShared(Executor executor) {
        return executor instanceof CudaExecutor cuda && cuda.topology().shared();
    }

    /** One line for people: what carries collectives; nothing where that is plain. */
    public static Optional<String> carrier(Executor executor) {
        return executor instanceof CudaExecutor cuda ? Optional.of(cuda.collectives()) : Optional.empty();
    }

    /** Waits until no other rank needs this one's device any more; all ranks do, before they close it. */
    public static void leave(Executor executor) {
        if (executor instanceof CudaExecutor cuda) {
            cuda.leave();
        }
    }

    /**
     * What carries the reference executor's collectives.
     *
     * @throws ConfigException if ranks met without MPI
     */
    public static Communicator communicator(Rendezvous rendezvous) {
        if (rendezvous instanceof Communicator communicator) {
            return communicator;
        }
        throw new ConfigException(
                "device: reference with %d ranks: its collectives travel over MPI; expected Open MPI 4 or 5, and a start by mpirun"
                        .formatted(rendezvous.group().size()));
    }

    /**
     * Opens it for one of several ranks.
     *
     * @param here     the rank, and what the reference executor's collectives travel over; lent
     * @param shareGpu whether several ranks may use one GPU
     * @throws ConfigException if it cannot be had here
     */
    public static Executor open(
            DeviceChoice choice, Journal journal, CudaExecutor.Tuning tuning, Ranks.Here here, boolean shareGpu) {
        return switch (resolve(choice)) {
            case DeviceChoice.Auto auto -> throw new IllegalStateException("auto was resolved");
            case DeviceChoice.Reference reference ->
                new ReferenceExecutor(journal, Capabilities.plain(), communicator(here.rendezvous()));
            case DeviceChoice.Cuda cuda ->
                CudaExecutor.open(ordinal(here.rank()), journal, tuning, here.rendezvous(), shareGpu);
            case DeviceChoice.Estimate estimate ->
                throw new ConfigException("device: '%s': this build has no estimating executor; use --device reference"
                        .formatted(estimate));
        };
    }
}
