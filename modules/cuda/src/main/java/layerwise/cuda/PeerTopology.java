package layerwise.cuda;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import layerwise.tensor.ConfigException;

/**
 * How the GPUs of all ranks reach each other; the same on every rank.
 *
 * @param shared     ranks share a GPU
 * @param peerAccess every rank's kernels reach the memory of every other rank's GPU
 * @param nvlink     they do so over NVLink, or because it is the same GPU
 */
public record PeerTopology(boolean shared, boolean peerAccess, boolean nvlink) {
    /** One rank alone. */
    public static PeerTopology alone() {
        return new PeerTopology(false, true, true);
    }

    /**
     * Finds out together with the other ranks; opens no device.
     *
     * @param ordinal of this rank's GPU
     * @param sharing whether ranks may share a GPU
     * @throws ConfigException on every rank, if they do and may not
     */
    public static PeerTopology find(int ordinal, int rank, boolean sharing, PeerExchange exchange) {
        DeviceInfo own = DeviceInfo.read(ordinal);
        List<GpuPlace> places = exchange.allGather(GpuPlace.of(own).message()).stream()
                .map(GpuPlace::read)
                .toList();
        boolean shared = shared(places, sharing);
        boolean[] reached = reaches(own, places.get(rank), places);
        boolean peerAccess = true;
        boolean nvlink = true;
        for (byte[] answer : exchange.allGather(new byte[] {bit(reached[0]), bit(reached[1])})) {
            peerAccess &= answer[0] != 0;
            nvlink &= answer[1] != 0;
        }
        return new PeerTopology(shared, peerAccess, nvlink);
    }

    private static byte bit(boolean value) {
        return (byte) (value ? 1 : 0);
    }

    /** Whether ranks share a GPU; refuses it unless they may. */
    static boolean shared(List<GpuPlace> places, boolean sharing) {
        Map<List<Object>, Integer> first = new HashMap<>();
        for (int rank = 0; rank < places.size(); rank++) {
            GpuPlace place = places.get(rank);
            Integer other = first.putIfAbsent(List.of(place.host(), place.gpu()), rank);
            if (other != null) {
                if (!sharing) {
                    throw new ConfigException(("ranks %d and %d share %s: expected a GPU for each rank, or --share-gpu,"
                                    + " which tests correctness and shows no times")
                            .formatted(other, rank, place.named()));
                }
                return true;
            }
        }
        return false;
    }

    /** Whether this rank's kernels reach all others' memory, and whether over nothing slower than NVLink. */
    private static boolean[] reaches(DeviceInfo gpu, GpuPlace own, List<GpuPlace> places) {
        Map<UUID, DeviceInfo> visible = new HashMap<>();
        DeviceInfo.all().forEach(info -> visible.put(info.uuid(), info));
        List<DeviceInfo> peers = new ArrayList<>();
        for (GpuPlace place : places) {
            if (!place.host().equals(own.host()) || !visible.containsKey(place.gpu())) {
                return new boolean[] {false, false};
            }
            if (!place.gpu().equals(own.gpu())) {
                peers.add(visible.get(place.gpu()));
            }
        }
        return new boolean[] {
            peers.stream().allMatch(gpu::canAccess), peers.stream().allMatch(gpu::hasAtomicsWith)
        };
    }
}
