package layerwise.bench.exchange;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import layerwise.bench.config.MoeBackend;
import layerwise.model.parallel.Mapping;
import layerwise.tensor.ConfigException;

/**
 * Which method an engine would take: TensorRT-LLM's rules of late 2025, by backend, environment and topology.
 *
 * @param backend     of the mixtures of experts
 * @param mapping     the ranks
 * @param localRanks  ranks of one machine
 * @param topK        experts of a token
 * @param scaledFrom  number of GPUs whose problem is run; they decide where the number of ranks matters
 * @param links       what connects the ranks
 * @param environment variables that force or forbid methods
 */
record ExchangeRules(
        MoeBackend backend,
        Mapping mapping,
        int localRanks,
        int topK,
        OptionalInt scaledFrom,
        Links links,
        Map<String, String> environment) {
    private static final String FORCE_ALL_TO_ALL = "TRTLLM_FORCE_ALLTOALL_METHOD";
    private static final String FORCE_COMM = "TRTLLM_FORCE_COMM_METHOD";

    /** @throws ConfigException if a forced method is unknown, or cannot be had here */
    ExchangeMethod choose() {
        requireWideEpRanks();
        if (backend == MoeBackend.WIDEEP) {
            return wideEp();
        }
        if (mapping.dataRanks() == 1) {
            return ExchangeMethod.NOT_ENABLED;
        }
        Optional<ExchangeMethod> forced = Optional.ofNullable(environment.get(FORCE_COMM))
                .map(name -> carried(FORCE_COMM, ExchangeMethod.ofCommName(FORCE_COMM, name)));
        if (forced.isPresent()) {
            return forced.get();
        }
        return switch (backend) {
            case CUTLASS, TRTLLM -> fused();
            case DEEPGEMM, CUTEDSL, MARLIN, VANILLA, WIDEEP -> ExchangeMethod.NOT_ENABLED;
        };
    }

    private void requireWideEpRanks() {
        if (backend == MoeBackend.WIDEEP && !mapping.attentionDp()) {
            throw new ConfigException("moe_backend WIDEEP: Attention DP should be used with WideEP.;"
                    + " expected enable_attention_dp true, or moe_backend CUTLASS");
        }
        if (backend == MoeBackend.WIDEEP && mapping.group().size() == 1) {
            throw new ConfigException("moe_backend WIDEEP: WideEP should only be enabled with parallel_size > 1;"
                    + " expected several ranks, or moe_backend CUTLASS");
        }
    }

    private ExchangeMethod wideEp() {
        Optional<ExchangeMethod> forced = forced();
        if (forced.isPresent()) {
            return forced.get();
        }
        if ("1".equals(environment.get("TRTLLM_MOE_DISABLE_ALLTOALLV"))
                || scaledFrom.orElse(mapping.group().size()) <= topK) {
            return ExchangeMethod.NOT_ENABLED;
        }
        if (links.nvlink()) {
            return ExchangeMethod.NVLINK_TWO_SIDED;
        }
        if ("1".equals(environment.get("TRTLLM_CAN_USE_DEEP_EP"))) {
            return deepEpIsFeasible() ? ExchangeMethod.DEEP_EP : ExchangeMethod.DEEP_EP_LOW_LATENCY;
        }
        return ExchangeMethod.NOT_ENABLED;
    }

    /** Its throughput kernels exist for whole machines of eight, up to sixteen of them, or parts of one. */
    private boolean deepEpIsFeasible() {
        int ranks = mapping.group().size();
        return ranks == localRanks
                ? Set.of(2, 4, 8).contains(ranks)
                : localRanks == 8 && Set.of(16, 32, 64, 128).contains(ranks);
    }

    /** Backends whose experts are one fused operation. */
    private ExchangeMethod fused() {
        Optional<ExchangeMethod> forced = forced();
        if (forced.isPresent()) {
            if (forced.get().isDeepEp()) {
                throw new ConfigException(
                        "environment: %s=%s: not implemented for moe_backend %s; expected WIDEEP, or %s=%s"
                                .formatted(
                                        FORCE_ALL_TO_ALL,
                                        forced.get(),
                                        backend,
                                        FORCE_COMM,
                                        environment.get(FORCE_ALL_TO_ALL)));
            }
            return forced.get();
        }
        return links.nvlink() ? ExchangeMethod.NVLINK_ONE_SIDED : ExchangeMethod.NOT_ENABLED;
    }

    private Optional<ExchangeMethod> forced() {
        return Optional.ofNullable(environment.get(FORCE_ALL_TO_ALL))
                .map(name -> carried(FORCE_ALL_TO_ALL, ExchangeMethod.ofAllToAllName(FORCE_ALL_TO_ALL, name)));
    }

    private ExchangeMethod carried(String variable, ExchangeMethod method) {
        if (method.needsNvlink() && !links.nvlink() && !links.anyMethod()) {
            throw new ConfigException(
                    "environment: %s=%s: not every GPU reaches every other one's memory; expected another method, or none"
                            .formatted(variable, environment.get(variable)));
        }
        return method;
    }
}
