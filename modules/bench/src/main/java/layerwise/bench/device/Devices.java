package layerwise.bench.device;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import layerwise.bench.config.DeviceChoice;
import layerwise.bench.config.RunConfig;
import layerwise.bench.exchange.Links;
import layerwise.bench.ranks.Rank;
import layerwise.bench.ranks.Ranks;
import layerwise.cuda.DeviceInfo;
import layerwise.cuda.DeviceUnavailableException;
import layerwise.cuda.PeerTopology;
import layerwise.kernels.CudaExecutor;
import layerwise.kernels.CudaOptions;
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

    /** What a run asks of a GPU's executor. */
    public static CudaOptions options(RunConfig config, Map<String, String> environment) {
        String file = environment.getOrDefault("TLLM_AUTOTUNER_CACHE_PATH", "");
        return new CudaOptions(
                config.autotuner() ? CudaOptions.Tuning.ON : CudaOptions.Tuning.OFF,
                config.autotuner() && !file.isEmpty() ? Optional.of(Path.of(file)) : Optional.empty(),
                config.syncEveryLaunch());
    }

    /** Opens it for one rank alone. */
    public static Executor open(DeviceChoice choice, Journal journal, CudaOptions options) {
        return open(choice, journal, options, Ranks.alone(), false);
    }

    /**
     * What the ranks' devices are connected by; all ranks ask at the same point.
     *
     * @param shareGpu whether ranks may share a GPU
     * @throws ConfigException if they do and may not
     */
    public static Links links(DeviceChoice choice, Ranks.Here here, boolean shareGpu) {
        return switch (resolve(choice)) {
            case DeviceChoice.Auto auto -> throw new IllegalStateException("auto was resolved");
            case DeviceChoice.Reference reference -> Links.ofMessages();
            case DeviceChoice.Cuda cuda -> {
                Rank rank = here.rank();
                PeerTopology topology = rank.world() == 1
                        ? PeerTopology.alone()
                        : PeerTopology.find(gpu(rank), rank.rank(), shareGpu, here.rendezvous()::allGather);
                yield new Links(topology.nvlink(), true);
            }
            case DeviceChoice.Estimate estimate -> Links.ofMessages();
        };
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
     * @param here     carries the reference executor's collectives, and what GPUs tell each other first; lent
     * @param shareGpu whether ranks may share a GPU
     * @throws ConfigException if it cannot be had here
     */
    public static Executor open(
            DeviceChoice choice, Journal journal, CudaOptions options, Ranks.Here here, boolean shareGpu) {
        return switch (resolve(choice)) {
            case DeviceChoice.Auto auto -> throw new IllegalStateException("auto was resolved");
            case DeviceChoice.Reference reference ->
                new ReferenceExecutor(journal, Capabilities.plain(), communicator(here.rendezvous()));
            case DeviceChoice.Cuda cuda -> {
                try {
                    yield CudaExecutor.open(gpu(here.rank()), journal, options, here.rendezvous(), shareGpu);
                } catch (DeviceUnavailableException e) {
                    throw new ConfigException(
                            "device: cuda: %s; --device reference or --device estimate:<gpu> need none"
                                    .formatted(e.getMessage()),
                            e);
                }
            }
            case DeviceChoice.Estimate estimate ->
                throw new ConfigException(
                        "device: '%s': an estimate has no numbers to look at; expected cuda or reference, or the commands run and sweep"
                                .formatted(estimate));
        };
    }

    /** The rank's GPU; ranks beyond the last GPU begin again, and are refused later unless they may share. */
    private static int gpu(Rank rank) {
        return rank.localRank() % Math.max(1, DeviceInfo.all().size());
    }
}
