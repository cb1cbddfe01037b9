package layerwise.bench.operators;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import layerwise.op.Program;
import org.junit.jupiter.api.Test;

class DistinctOperatorsTest {
    private static Program step(String options) {
        return Steps.programs("config_gen.yaml " + options, 1).getFirst();
    }

    @Test
    void aSecondLayerOfTheSameKindBringsNothing() {
        Program one = step("--layer-indices 5");
        Program two = step("--layer-indices 5,6");
        assertTrue(two.operators().size() > 1.5 * one.operators().size());
        assertEquals(
                new DistinctOperators().of(one).size(),
                new DistinctOperators().of(two).size());
    }

    @Test
    void anotherProblemBringsWhatDependsOnItsSizes() {
        DistinctOperators distinct = new DistinctOperators();
        distinct.of(step("--seq-len-kv-cache 1000"));
        List<String> more = distinct.of(step("--seq-len-kv-cache 2000")).stream()
                .map(placed -> placed.operator().name())
                .toList();
        assertTrue(more.contains("MlaDecodeAttention"), more.toString());
        assertTrue(!more.contains("Linear"), more.toString());
        assertEquals(List.of(), distinct.of(step("--seq-len-kv-cache 2000")));
    }

    @Test
    void eachIsPlacedByTheRangesAroundIt() {
        Set<String> modules = new HashSet<>();
        new DistinctOperators().of(step("--layer-indices 5")).forEach(placed -> modules.add(placed.module()));
        assertTrue(modules.contains("MLA"), modules.toString());
        assertTrue(modules.contains("Deepseekv3MoE/MoE"), modules.toString());
    }
}
