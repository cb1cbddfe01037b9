package layerwise.bench.verify;

import layerwise.model.layer.DecoderSlice;
import layerwise.op.Contents;
import layerwise.op.Memory;

/**
 * Made-up inputs of a step.
 *
 * @param hidden   of the hidden states
 * @param residual of the residual stream
 */
record LayerInputs(Contents hidden, Contents residual) {
    /** @param dataRank rank among those whose tokens differ */
    static LayerInputs of(long seed, int dataRank) {
        long own = seed + 1_000_000L * dataRank;
        return new LayerInputs(new Contents.Uniform(-1, 1, own + 1), new Contents.Uniform(-1, 1, own + 2));
    }

    void place(DecoderSlice.Benchmark step, Memory memory) {
        memory.put(step.hidden().buffer(), hidden);
        memory.put(step.residual().buffer(), residual);
    }
}
