package layerwise.kernels;

import static layerwise.kernels.Carrier.NCCL;
import static layerwise.kernels.Carrier.PEERS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Optional;
import layerwise.cuda.PeerTopology;
import layerwise.tensor.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CarrierRuleTest {
    private static final PeerTopology NVLINK = new PeerTopology(false, true, true);
    private static final PeerTopology APART = new PeerTopology(false, false, false);
    private static final PeerTopology SHARED = new PeerTopology(true, true, true);

    @ParameterizedTest
    @CsvSource({"2,16777216", "3,524288", "4,524288", "5,262144", "8,262144", "64,262144"})
    void reducesInOneShotUpToALimitThatFallsWithRanks(int ranks, long limit) {
        CarrierRule rule = new CarrierRule(ranks, NVLINK, true);
        assertEquals(PEERS, rule.reducing(0));
        assertEquals(PEERS, rule.reducing(limit));
        assertEquals(NCCL, rule.reducing(limit + 1));
    }

    @Test
    void leavesLongGathersToNcclAndTokensToPeers() {
        CarrierRule rule = new CarrierRule(8, NVLINK, true);
        assertEquals(PEERS, rule.spreading(16L << 20));
        assertEquals(NCCL, rule.spreading((16L << 20) + 1));
        assertEquals(PEERS, rule.exchanging());
    }

    @Test
    void takesTheOnlyCarrierThereIs() {
        CarrierRule shared = new CarrierRule(4, SHARED, false);
        assertEquals(PEERS, shared.reducing(1L << 40));
        assertEquals(PEERS, shared.spreading(1L << 40));
        CarrierRule apart = new CarrierRule(4, APART, true);
        assertEquals(NCCL, apart.reducing(1));
        assertEquals(NCCL, apart.spreading(1));
        assertEquals(NCCL, apart.exchanging());
        assertThrows(IllegalArgumentException.class, () -> new CarrierRule(4, APART, false));
    }

    @Test
    void leavesEverythingToTheCarrierThatWasAskedFor() {
        CarrierRule nccl = new CarrierRule(2, NVLINK, true, Optional.of(NCCL));
        assertEquals(NCCL, nccl.reducing(1));
        assertEquals(NCCL, nccl.spreading(1));
        assertEquals(NCCL, nccl.exchanging());
        assertEquals("2 ranks: all collectives by NCCL, as asked for", nccl.describe());
        CarrierRule peers = new CarrierRule(8, NVLINK, true, Optional.of(PEERS));
        assertEquals(PEERS, peers.reducing(1L << 40));
        assertEquals(PEERS, peers.spreading(1L << 40));
        assertEquals("8 ranks: all collectives by own kernels over NVLink peer memory, as asked for", peers.describe());
        assertThrows(IllegalArgumentException.class, () -> new CarrierRule(2, NVLINK, false, Optional.of(NCCL)));
        assertThrows(IllegalArgumentException.class, () -> new CarrierRule(2, APART, true, Optional.of(PEERS)));
    }

    @Test
    void refusesACarrierThatWasAskedForAndCannotBeHad() {
        GpuLinks.require(Optional.empty(), PEERS, false, "never said");
        GpuLinks.require(Optional.of(NCCL), PEERS, false, "never said");
        GpuLinks.require(Optional.of(PEERS), PEERS, true, "never said");
        assertEquals(
                "--carrier: peers: not all GPUs reach each other's memory; expected nccl",
                assertThrows(
                                ConfigException.class,
                                () -> GpuLinks.require(
                                        Optional.of(PEERS), PEERS, false, "not all GPUs reach each other's memory"))
                        .getMessage());
        assertEquals(
                "--carrier: nccl: ranks share a GPU; expected peers",
                assertThrows(
                                ConfigException.class,
                                () -> GpuLinks.require(Optional.of(NCCL), NCCL, false, "ranks share a GPU"))
                        .getMessage());
    }

    @Test
    void saysWhatCarriesWhat() {
        assertEquals(
                "4 ranks: own kernels over NVLink peer memory; NCCL for all-reduce above 512 KiB, all-gather and"
                        + " reduce-scatter above 16384 KiB",
                new CarrierRule(4, NVLINK, true).describe());
        assertEquals(
                "2 ranks that share a GPU: all collectives by own kernels over CUDA IPC memory",
                new CarrierRule(2, SHARED, false).describe());
        assertEquals(
                "16 ranks: all collectives by NCCL, since not all GPUs reach each other's memory",
                new CarrierRule(16, APART, true).describe());
    }
}
