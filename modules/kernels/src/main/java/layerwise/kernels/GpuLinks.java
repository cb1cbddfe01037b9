package layerwise.kernels;

import java.time.Duration;
import java.util.Optional;
import layerwise.cuda.CudaLibrary;
import layerwise.cuda.Device;
import layerwise.cuda.Libraries;
import layerwise.cuda.Nccl;
import layerwise.cuda.NcclCommunicator;
import layerwise.cuda.PeerGroup;
import layerwise.cuda.PeerTopology;
import layerwise.op.Communicator;
import layerwise.op.RankGroup;
import layerwise.op.Rendezvous;
import layerwise.tensor.ConfigException;

/**
 * What carries collectives between the GPUs of a run.
 *
 * @param rule  what takes which
 * @param peers present where all GPUs reach each other's memory
 * @param solo  a group of this rank alone, for kernels that read what NCCL has brought
 * @param nccl  present where the rule may choose it
 */
record GpuLinks(CarrierRule rule, Optional<PeerGroup> peers, PeerGroup solo, Optional<NcclCommunicator> nccl) {
    /** How long a kernel or a call waits for another rank: longer than ranks drift apart while they prepare. */
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /**
     * Joins the ranks.
     *
     * @param sharing whether ranks may share a GPU
     * @param only    what has to carry every collective of several ranks, where that was asked for; the same on all of them
     * @throws ConfigException if ranks share a GPU and may not, or what was asked for cannot carry collectives between them
     * @throws layerwise.cuda.DeviceUnavailableException if nothing can
     */
    static GpuLinks join(Device device, Rendezvous rendezvous, boolean sharing, Optional<Carrier> only) {
        RankGroup group = rendezvous.group();
        PeerGroup solo = PeerGroup.join(device, 0, 1, PATIENCE, Communicator.alone()::allGather);
        if (group.size() == 1) {
            CarrierRule rule = new CarrierRule(1, PeerTopology.alone(), false);
            return new GpuLinks(rule, Optional.of(solo), solo, Optional.empty());
        }
        PeerTopology topology =
                PeerTopology.find(device.info().ordinal(), group.rank(), sharing, rendezvous::allGather);
        boolean own = only.isEmpty() || only.get() == Carrier.PEERS;
        boolean library = only.isEmpty() || only.get() == Carrier.NCCL;
        require(only, Carrier.PEERS, topology.peerAccess(), "not all GPUs reach each other's memory");
        require(only, Carrier.NCCL, !topology.shared(), "ranks share a GPU");
        if (!topology.peerAccess()) {
            Libraries.require(CudaLibrary.NCCL);
        }
        boolean nccl = library && !topology.shared() && hasEverywhere(CudaLibrary.NCCL, rendezvous);
        require(only, Carrier.NCCL, nccl, "not every rank finds the library " + CudaLibrary.NCCL.soname());
        Optional<PeerGroup> peers = own && topology.peerAccess()
                ? Optional.of(PeerGroup.join(device, group.rank(), group.size(), PATIENCE, rendezvous::allGather))
                : Optional.empty();
        return new GpuLinks(
                new CarrierRule(group.size(), topology, nccl, only),
                peers,
                solo,
                nccl ? Optional.of(joinNccl(device, rendezvous)) : Optional.empty());
    }

    /** Refuses a carrier that was asked for and cannot be had, on every rank alike. */
    static void require(Optional<Carrier> only, Carrier carrier, boolean possible, String obstacle) {
        if (!possible && only.equals(Optional.of(carrier))) {
            throw new ConfigException("--carrier: %s: %s; expected %s"
                    .formatted(carrier, obstacle, carrier == Carrier.NCCL ? Carrier.PEERS : Carrier.NCCL));
        }
    }

    private static boolean hasEverywhere(CudaLibrary library, Rendezvous rendezvous) {
        byte has = (byte) (Libraries.has(library) ? 1 : 0);
        return rendezvous.allGather(new byte[] {has}).stream().allMatch(answer -> answer[0] != 0);
    }

    private static NcclCommunicator joinNccl(Device device, Rendezvous rendezvous) {
        RankGroup group = rendezvous.group();
        byte[] id = rendezvous
                .allGather(group.rank() == 0 ? Nccl.createId() : new byte[0])
                .getFirst();
        return NcclCommunicator.join(device, id, group.rank(), group.size(), PATIENCE);
    }
}
