package layerwise.bench.noise;

import java.util.Optional;
import layerwise.model.cache.BatchTables;
import layerwise.model.cache.RotaryTable;
import layerwise.model.layer.DecoderSlice;
import layerwise.op.Contents;
import layerwise.op.Memory;
import layerwise.op.Program;

/**
 * One step of such layers and what it reads beside weights and expert choices.
 *
 * @param layers own the caches
 * @param tables of the batch
 * @param step   as the benchmark runs it
 * @param seed   of caches and inputs
 */
public record NoiseStep(DecoderSlice layers, Tables tables, DecoderSlice.Benchmark step, long seed) {
    /** Apart enough that no two ranks share a seed. */
    private static final long SEEDS_OF_RANK = 1_000_000;

    /**
     * Tables that a step reads.
     *
     * @param rotary cosines and sines, where a layer rotates
     * @param batch  lengths and pages
     */
    record Tables(Optional<RotaryTable> rotary, BatchTables batch) {}

    public Program program() {
        return step.program();
    }

    /**
     * Puts tables, caches and inputs into memory.
     *
     * @param dataRank rank among those whose tokens differ
     */
    public void place(Memory memory, int dataRank) {
        tables.rotary().ifPresent(table -> table.place(memory));
        layers.placeNoise(memory, seed);
        tables.batch().place(memory);
        long own = seed + SEEDS_OF_RANK * dataRank;
        memory.put(step.hidden().buffer(), new Contents.Uniform(-1, 1, own + 1));
        memory.put(step.residual().buffer(), new Contents.Uniform(-1, 1, own + 2));
    }
}
