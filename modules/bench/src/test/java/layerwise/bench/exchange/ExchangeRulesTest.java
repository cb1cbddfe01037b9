package layerwise.bench.exchange;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.OptionalInt;
import layerwise.bench.config.MoeBackend;
import layerwise.model.parallel.Mapping;
import layerwise.op.RankGroup;
import layerwise.tensor.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExchangeRulesTest {
    private static final Links NVLINK = new Links(true, false);
    private static final Links NONE = new Links(false, false);

    private static ExchangeMethod choose(
            MoeBackend backend,
            int ranks,
            int localRanks,
            int scaledFrom,
            Links links,
            Map<String, String> environment) {
        return new ExchangeRules(
                        backend,
                        new Mapping(new RankGroup(0, ranks), true),
                        localRanks,
                        8,
                        scaledFrom == 0 ? OptionalInt.empty() : OptionalInt.of(scaledFrom),
                        links,
                        environment)
                .choose();
    }

    /** Eight experts a token. */
    @ParameterizedTest
    @CsvSource({
        "WIDEEP,4,0,true,NotEnabled",
        "WIDEEP,8,0,true,NotEnabled",
        "WIDEEP,16,0,true,NVLinkTwoSided",
        "WIDEEP,4,16,true,NVLinkTwoSided",
        "WIDEEP,16,4,true,NotEnabled",
        "WIDEEP,16,0,false,NotEnabled",
        "CUTLASS,2,0,true,NVLinkOneSided",
        "CUTLASS,2,0,false,NotEnabled",
        "TRTLLM,4,0,true,NVLinkOneSided",
        "DEEPGEMM,4,0,true,NotEnabled",
        "CUTEDSL,4,0,true,NotEnabled",
        "CUTLASS,1,0,true,NotEnabled",
    })
    void topologyAndBackendChoose(MoeBackend backend, int ranks, int scaledFrom, boolean nvlink, String method) {
        assertEquals(
                method,
                choose(backend, ranks, ranks, scaledFrom, new Links(nvlink, false), Map.of())
                        .toString());
    }

    @ParameterizedTest
    @CsvSource({"16,8,DeepEP", "32,8,DeepEP", "16,4,DeepEPLowLatency", "64,8,DeepEP", "40,8,DeepEPLowLatency"})
    void withoutNvlinkWideEpTakesDeepEpWhereItMay(int ranks, int localRanks, String method) {
        Map<String, String> allowed = Map.of("TRTLLM_CAN_USE_DEEP_EP", "1");
        assertEquals(
                method,
                choose(MoeBackend.WIDEEP, ranks, localRanks, 0, NONE, allowed).toString());
    }

    @ParameterizedTest
    @CsvSource({"NotEnabled", "NVLinkOneSided", "NVLinkTwoSided", "DeepEP", "DeepEPLowLatency"})
    void wideEpTakesWhatIsForced(String method) {
        Map<String, String> forced = Map.of("TRTLLM_FORCE_ALLTOALL_METHOD", method);
        assertEquals(method, choose(MoeBackend.WIDEEP, 2, 2, 0, NVLINK, forced).toString());
    }

    @ParameterizedTest
    @CsvSource({
        "nvlink_one_sided,NVLinkOneSided",
        "NVLINK_TWO_SIDED,NVLinkTwoSided",
        "deepep,DeepEP",
        "DeepEPLowLatency,DeepEPLowLatency",
        "AllGather,NotEnabled"
    })
    void theCommonLayersVariableTakesAnyCase(String name, String method) {
        Map<String, String> forced = Map.of("TRTLLM_FORCE_COMM_METHOD", name);
        assertEquals(
                method, choose(MoeBackend.DEEPGEMM, 2, 2, 0, NVLINK, forced).toString());
        assertEquals(method, choose(MoeBackend.CUTLASS, 2, 2, 0, NVLINK, forced).toString());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "TRTLLM_FORCE_ALLTOALL_METHOD|NVLinkOnesided|did you mean NVLinkOneSided",
                "TRTLLM_FORCE_COMM_METHOD|MPI|Unknown communication method: MPI; expected one of ALLGATHER",
                "TRTLLM_FORCE_ALLTOALL_METHOD|DeepEP|not implemented for moe_backend CUTLASS",
            })
    void unknownAndUnsuitableNamesAreRefused(String variable, String name, String message) {
        ConfigException e = assertThrows(
                ConfigException.class, () -> choose(MoeBackend.CUTLASS, 2, 2, 0, NVLINK, Map.of(variable, name)));
        assertTrue(e.getMessage().startsWith("environment: " + variable + "=" + name + ": "), e.getMessage());
        assertTrue(e.getMessage().contains(message), e.getMessage());
    }

    @Test
    void aMethodForLinksThatAreNotThereIsRefused() {
        Map<String, String> forced = Map.of("TRTLLM_FORCE_COMM_METHOD", "NVLINK_ONE_SIDED");
        ConfigException e =
                assertThrows(ConfigException.class, () -> choose(MoeBackend.CUTLASS, 2, 2, 0, NONE, forced));
        assertTrue(e.getMessage().contains("not every GPU reaches"), e.getMessage());
        assertEquals(
                ExchangeMethod.NVLINK_ONE_SIDED,
                choose(MoeBackend.CUTLASS, 2, 2, 0, Links.ofMessages(), forced),
                "messages can play any method");
    }

    @Test
    void wideEpNeedsAttentionDataParallelismAndSeveralRanks() {
        ConfigException alone =
                assertThrows(ConfigException.class, () -> choose(MoeBackend.WIDEEP, 1, 1, 0, NVLINK, Map.of()));
        assertTrue(alone.getMessage().contains("WideEP should only be enabled with parallel_size > 1"));
        ConfigException tensor = assertThrows(
                ConfigException.class,
                () -> new ExchangeRules(
                                MoeBackend.WIDEEP,
                                new Mapping(new RankGroup(0, 2), false),
                                2,
                                8,
                                OptionalInt.empty(),
                                NVLINK,
                                Map.of())
                        .choose());
        assertTrue(tensor.getMessage().contains("Attention DP should be used with WideEP."));
    }
}
