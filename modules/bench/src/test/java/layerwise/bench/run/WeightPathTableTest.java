package layerwise.bench.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import layerwise.op.Buffer;
import layerwise.op.Weight;
import layerwise.op.WeightPath;
import layerwise.tensor.DType;
import org.junit.jupiter.api.Test;

class WeightPathTableTest {
    private static WeightPath path(String name, String path) {
        return new WeightPath(Weight.plain(Buffer.of(name, DType.BF16, 24, 16).whole()), path, false);
    }

    @Test
    void weightsThatDifferInTheirLayerOnlyAreOneLine() {
        WeightPathTable table = new WeightPathTable();
        table.add(List.of(
                path("model.layers.5.self_attn.o_proj", "cuBLASLt"),
                path("model.layers.6.self_attn.o_proj", "cuBLASLt")));
        table.add(List.of(path("model.layers.5.self_attn.o_proj", "linear")));
        assertEquals(
                List.of(
                        "weight                           stored as                  read by",
                        "self_attn.o_proj                 [24,16] bf16               cuBLASLt",
                        "self_attn.o_proj                 [24,16] bf16               linear"),
                table.lines());
    }

    @Test
    void nothingIsSaidWhereThereIsOneWayForAll() {
        assertEquals(List.of(), new WeightPathTable().lines());
    }
}
