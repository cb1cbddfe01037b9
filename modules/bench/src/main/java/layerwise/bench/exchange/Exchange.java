package layerwise.bench.exchange;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import layerwise.bench.config.Limits;
import layerwise.bench.config.MoeOptions;
import layerwise.bench.config.RunConfig;
import layerwise.model.layer.Traffic;
import layerwise.model.parallel.Mapping;
import layerwise.op.AllToAllCombine.Wire;
import layerwise.op.AllToAllMethod;
import layerwise.op.RankTokens;
import layerwise.tensor.ConfigException;

/** What ranks send each other in the steps of a run. */
public final class Exchange {
    /** Tokens of all ranks that prefill of the cache gives to experts at once; it is not measured. */
    private static final int PREFILL_CHUNK = 16_384;

    private static final String TOKEN_LIMIT = "TRTLLM_DEEP_EP_TOKEN_LIMIT";

    private final Mapping mapping;
    private final ExchangeMethod method;
    private final OptionalInt chunkTokens;
    private final boolean lowPrecision;
    private final int lowLatencyTokens;

    private Exchange(
            Mapping mapping,
            ExchangeMethod method,
            OptionalInt chunkTokens,
            boolean lowPrecision,
            int lowLatencyTokens) {
        this.mapping = mapping;
        this.method = method;
        this.chunkTokens = chunkTokens;
        this.lowPrecision = lowPrecision;
        this.lowLatencyTokens = lowLatencyTokens;
    }

    /**
     * Of a run's measured steps.
     *
     * @param topK       experts of a token; empty for layers without a mixture of experts
     * @param localRanks ranks of one machine
     * @throws ConfigException if the environment asks for what cannot be
     */
    public static Exchange of(
            RunConfig config,
            Mapping mapping,
            OptionalInt topK,
            int localRanks,
            Links links,
            Map<String, String> environment) {
        MoeOptions moe = config.moe();
        ExchangeMethod method = topK.isEmpty()
                ? ExchangeMethod.NOT_ENABLED
                : new ExchangeRules(
                                moe.backend(),
                                mapping,
                                localRanks,
                                topK.getAsInt(),
                                config.scaledFrom(),
                                links,
                                environment)
                        .choose();
        return new Exchange(
                mapping,
                method,
                moe.maxNumTokens(),
                moe.lowPrecisionCombine(),
                lowLatencyTokens(config.limits(), moe.maxNumTokens(), environment));
    }

    private static int lowLatencyTokens(Limits limits, OptionalInt chunkTokens, Map<String, String> environment) {
        String text = environment.get(TOKEN_LIMIT);
        if (text == null) {
            return Math.min(limits.maxNumTokens(), chunkTokens.orElse(Integer.MAX_VALUE));
        }
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new ConfigException("environment: %s=%s: expected a number".formatted(TOKEN_LIMIT, text), e);
        }
    }

    /** Of the steps that fill the cache. */
    public Exchange ofPrefill() {
        return new Exchange(mapping, ExchangeMethod.NOT_ENABLED, OptionalInt.of(PREFILL_CHUNK), false, 0);
    }

    /** A step in which every rank has {@code tokens} tokens. */
    public Traffic traffic(int tokens) {
        RankTokens all = RankTokens.uniform(mapping.group(), tokens);
        Traffic chunked = new Traffic(all, Optional.empty(), Wire.STORED, chunkTokens);
        boolean oneChunk = chunked.chunks(mapping.dataRanks()).size() == 1;
        Optional<AllToAllMethod> allToAll = method.allToAll()
                .filter(chosen -> mapping.dataRanks() > 1)
                .filter(chosen -> oneChunk || method.needsNvlink())
                .filter(chosen -> chosen != AllToAllMethod.DEEP_EP_LOW_LATENCY || tokens <= lowLatencyTokens);
        Wire wire = allToAll.map(this::wire).orElse(Wire.STORED);
        return new Traffic(all, allToAll, wire, chunkTokens);
    }

    private Wire wire(AllToAllMethod chosen) {
        return switch (chosen) {
            case NVLINK_ONE_SIDED, NVLINK_TWO_SIDED, DEEP_EP_LOW_LATENCY -> lowPrecision ? Wire.FP8 : Wire.STORED;
            case DEEP_EP -> Wire.STORED;
        };
    }

    /** For people: what happens between ranks. */
    @Override
    public String toString() {
        if (mapping.group().size() == 1) {
            return "one rank";
        }
        String attention = mapping.attentionDp() ? "attention DP" : "attention TP, all-reduce";
        String experts = mapping.attentionDp()
                ? method == ExchangeMethod.NOT_ENABLED ? "all-gather and reduce-scatter" : "all-to-all " + method
                : "all-reduce";
        return "%d ranks, %s; experts: %s".formatted(mapping.group().size(), attention, experts);
    }
}
