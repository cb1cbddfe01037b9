package layerwise.bench.config;

import java.util.OptionalInt;

/**
 * Options of the mixture-of-experts layers.
 *
 * @param backend implementation that is measured
 * @param backendForPrefill implementation that fills the KV cache before decode is measured
 * @param maxNumTokens tokens of all ranks that one chunk may hold; empty for no chunking
 * @param lowPrecisionCombine whether an all-to-all combine may send less than bf16
 */
public record MoeOptions(
        MoeBackend backend, MoeBackend backendForPrefill, OptionalInt maxNumTokens, boolean lowPrecisionCombine) {}
