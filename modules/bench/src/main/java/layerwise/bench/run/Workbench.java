package layerwise.bench.run;

import java.util.Optional;
import layerwise.estimate.GpuFacts;
import layerwise.model.cache.PagedCache;
import layerwise.model.cache.RotaryTable;
import layerwise.model.layer.DecoderSlice;
import layerwise.model.spec.ModelSpec;
import layerwise.op.Executor;
import layerwise.op.Memory;

/**
 * What all steps of a run share.
 *
 * @param model    architecture
 * @param slice    the layers that run
 * @param cache    layout of the paged cache
 * @param rotary   table of cosines and sines, where a layer rotates
 * @param executor runs programs
 * @param memory   holds weights, caches and the table
 * @param gpu      what the executor's GPU can do, where that is known
 */
record Workbench(
        ModelSpec model,
        DecoderSlice slice,
        PagedCache cache,
        Optional<RotaryTable> rotary,
        Executor executor,
        Memory memory,
        Optional<GpuFacts> gpu) {}
