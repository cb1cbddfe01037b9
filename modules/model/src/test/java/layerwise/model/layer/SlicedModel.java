package layerwise.model.layer;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import layerwise.model.cache.CacheTypes;
import layerwise.model.cache.PagedCache;
import layerwise.model.cache.RotaryTable;
import layerwise.model.spec.ModelCatalog;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightSource;
import layerwise.model.weights.WeightTable;
import layerwise.op.Batch;
import layerwise.op.Program;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;

/** Layers of a shipped model with made-up weights, and the program of one step. */
record SlicedModel(DecoderSlice slice, WeightTable weights, Program program) {
    private static final ModelCatalog SHIPPED =
            new ModelCatalog(Path.of(System.getProperty("layerwise.home"), "configs", "models"));

    static SlicedModel of(String name, List<Integer> layers, Phase phase, Batch batch, DType cacheDtype) {
        ModelSpec model = SHIPPED.find(name);
        WeightTable weights = new WeightTable(model, new WeightSource.Dummy());
        PagedCache cache = new PagedCache(batch.sequences(), 32, batch.longest());
        CacheTypes types = new CacheTypes(cacheDtype, model.dtype(), DType.F16);
        DecoderSlice slice = new DecoderSlice(model, layers, weights, cache, model.dtype(), types);
        Optional<TensorRef> rotary =
                RotaryTable.of(model, layers, batch.longest()).map(RotaryTable::tensor);
        Program program = slice.benchmark(
                        phase, cache.tables("step", 0, batch).paged(), rotary, new ExpertChoice.Routed())
                .program();
        return new SlicedModel(slice, weights, program);
    }
}
