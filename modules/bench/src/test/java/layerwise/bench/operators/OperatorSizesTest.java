package layerwise.bench.operators;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import layerwise.op.GroupedLinear;
import layerwise.op.GroupedLinearCombine;
import layerwise.op.Operator;
import org.junit.jupiter.api.Test;

class OperatorSizesTest {
    /** Every family of layers, both phases, formats, ranks, prefixes and drafts. */
    private static final List<String> RUNS = List.of(
            "config_gen.yaml",
            "config_gen.yaml --model deepseek-ai/DeepSeek-R1-0528 --layer-indices 2,3 --seq-len-q 2 --kv-cache-dtype fp8",
            "config_ctx.yaml --model deepseek-ai/DeepSeek-R1-0528-BF16 --batch-size 1,3 --seq-len-q 1,700",
            "config_ctx.yaml --seq-len-q 30 --seq-len-kv-cache 40 --moe-backend DEEPGEMM --model deepseek-ai/DeepSeek-R1-0528",
            "config_gen.yaml --model deepseek-ai/DeepSeek-V3.2-Exp --tokens-per-block 64 --seq-len-kv-cache 100,5000",
            "config_ctx.yaml --model deepseek-ai/DeepSeek-V3.2-Exp --tokens-per-block 64 --seq-len-q 4100 --kv-cache-dtype fp8",
            "config_gen.yaml --model nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16 --layer-indices 4,5,6 --no-enable-attention-dp",
            "config_ctx.yaml --model nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16 --layer-indices 4,5,6",
            "config_gen.yaml --model Qwen/Qwen3-Next-80B-A3B-Instruct --layer-indices 6,7 --no-enable-attention-dp",
            "config_ctx.yaml --model Qwen/Qwen3-Next-80B-A3B-Instruct --layer-indices 6,7 --seq-len-q 300");

    private static List<Operator> operators() {
        List<Operator> all = new ArrayList<>();
        for (String run : RUNS) {
            for (int ranks : new int[] {1, 2}) {
                all.addAll(Steps.of(run, ranks));
            }
        }
        return all;
    }

    @Test
    void everyOperatorOfEveryModelHasPairsThatCanBeReadBack() {
        Set<String> kinds = new TreeSet<>();
        for (Operator operator : operators()) {
            OperatorSizes sizes = OperatorSizes.of(operator);
            kinds.add(operator.name());
            assertFalse(sizes.pairs().isEmpty(), operator.name());
            Map<String, String> read = Stream.of(sizes.toString().split(" "))
                    .map(pair -> pair.split("=", -1))
                    .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1], (a, b) -> a, LinkedHashMap::new));
            assertEquals(sizes.pairs(), read);
            read.forEach((name, value) -> assertTrue(
                    name.matches("[a-z_]+") && value.matches("[a-z0-9_.:]+"),
                    () -> operator.name() + ": " + name + "=" + value));
        }
        Set<String> unseen = Arrays.stream(Operator.class.getPermittedSubclasses())
                .map(Class::getSimpleName)
                .collect(Collectors.toCollection(TreeSet::new));
        unseen.removeAll(kinds);
        // No executor asks for the fusion.
        assertEquals(
                new TreeSet<>(Set.of(GroupedLinearCombine.class.getSimpleName())), unseen, "kinds without a run here");
    }

    /** What the label tells apart, the pairs tell apart. */
    @Test
    void operatorsWithTheSamePairsHaveTheSameLabel() {
        Map<String, String> labels = new HashMap<>();
        for (Operator operator : operators()) {
            String key = operator.name() + " " + OperatorSizes.of(operator);
            String label = labels.putIfAbsent(key, operator.label());
            assertEquals(label == null ? operator.label() : label, operator.label(), key);
        }
    }

    /** Of tokens that an all-to-all brings, only some have rows: those are rounded once they are gathered. */
    @Test
    void roundingWaitsForAnAllToAll() {
        String line = "config_ctx.yaml --model deepseek-ai/DeepSeek-R1-0528 --batch-size 1 --seq-len-q 64";
        for (int ranks : new int[] {1, 2}) {
            List<String> names = Steps.programs(line, ranks).getFirst().operators().stream()
                    .map(Operator::name)
                    .toList();
            boolean early = names.indexOf("RoundRows") < names.indexOf("GatherRows");
            assertEquals(names.contains("AllToAllDispatch"), !early, names.toString());
            assertEquals(ranks > 1, names.contains("AllToAllDispatch"));
        }
    }

    @Test
    void aGroupedProductSaysWhatAPeerNeeds() {
        GroupedLinear product = Steps.of(
                        "config_gen.yaml --model deepseek-ai/DeepSeek-R1-0528-BF16 --moe-backend VANILLA --batch-size 1",
                        1)
                .stream()
                .filter(GroupedLinear.class::isInstance)
                .map(GroupedLinear.class::cast)
                .filter(operator -> operator.w().n() == 7168)
                .findFirst()
                .orElseThrow();
        assertEquals(
                "rows=8 experts=256 active=8.0 n=7168 k=2048 format=bf16",
                OperatorSizes.of(product).toString());
    }
}
