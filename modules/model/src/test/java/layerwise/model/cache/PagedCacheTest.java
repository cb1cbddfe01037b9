package layerwise.model.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import layerwise.op.Batch;
import layerwise.op.PagedBatch;
import layerwise.tensor.ConfigException;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.Test;

class PagedCacheTest {
    @Test
    void poolIsSizedInWholePagesForEachRequest() {
        PagedCache cache = new PagedCache(128, 32, 9220);
        assertEquals(289, cache.pagesPerRequest());
        assertEquals(128 * 289, cache.pages());
    }

    @Test
    void tablesHaveAPlaceForEveryTokenAndSequence() {
        PagedBatch paged = new PagedCache(4, 2, 6)
                .tables("step", 1, new Batch(List.of(2, 1), List.of(3, 0)))
                .paged();
        assertEquals(Shape.of(3), paged.positions().shape());
        assertEquals(Shape.of(3), paged.starts().shape());
        assertEquals(Shape.of(2, 3), paged.pageTable().shape());
    }

    @Test
    void refusesRequestsAndLengthsWithoutAPlace() {
        PagedCache cache = new PagedCache(2, 32, 64);
        assertThrows(ConfigException.class, () -> cache.tables("step", 1, Batch.uniform(2, 1, 0)));
        assertThrows(ConfigException.class, () -> cache.tables("step", 0, Batch.uniform(1, 1, 64)));
    }
}
