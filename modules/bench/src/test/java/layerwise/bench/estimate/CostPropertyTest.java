package layerwise.bench.estimate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import layerwise.bench.config.RunConfig;
import layerwise.op.Add;
import layerwise.op.AddRmsNorm;
import layerwise.op.AllGather;
import layerwise.op.AllReduce;
import layerwise.op.Linear;
import layerwise.op.Operator;
import layerwise.op.ReduceScatter;
import layerwise.op.RmsNorm;
import layerwise.op.Route;
import layerwise.op.SortByExpert;
import layerwise.op.TensorRef;
import layerwise.op.Work;
import org.junit.jupiter.api.Test;

/** What every operator's cost has to do with the bytes of its tensors, over layers, formats, batches and ranks. */
class CostPropertyTest {
    private static final List<String> MODELS = List.of(
            "nvidia/DeepSeek-R1-0528-FP4-v2",
            "deepseek-ai/DeepSeek-R1-0528",
            "deepseek-ai/DeepSeek-R1-0528-BF16",
            "deepseek-ai/DeepSeek-V3.2-Exp",
            "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16",
            "Qwen/Qwen3-Next-80B-A3B-Instruct");
    private static final long SEED = 20_251_124;

    @Test
    void noOperatorCountsMoreThanItsTensorsHold() {
        Random random = new Random(SEED);
        for (int round = 0; round < 60; round++) {
            RunConfig config = config(random);
            // Few heads of the hybrid models divide over few ranks.
            int ranks = 1 << random.nextInt(config.model().contains("DeepSeek") ? 5 : 2);
            RankPlan plan = Plans.plan(config, random.nextInt(ranks), ranks);
            List<Operator> operators =
                    new ArrayList<>(plan.plain(config.problems().getFirst()).operators());
            operators.addAll(plan.step(config.problems().getFirst()).operators());
            for (Operator operator : operators) {
                check(operator, config.argsLine() + " on " + ranks + " ranks");
            }
        }
    }

    private static RunConfig config(Random random) {
        String type = random.nextBoolean() ? "GEN" : "CTX";
        String model = MODELS.get(random.nextInt(MODELS.size()));
        return Plans.shipped(
                type,
                model,
                "--layer-indices",
                model.startsWith("nvidia/NVIDIA") ? "4,5,6" : random.nextBoolean() ? "2,3" : "5,6,7",
                "--batch-size",
                String.valueOf(1 + random.nextInt(40)),
                "--seq-len-q",
                String.valueOf(type.equals("GEN") ? 1 + random.nextInt(4) : 1 + random.nextInt(700)),
                "--seq-len-kv-cache",
                String.valueOf(type.equals("GEN") ? random.nextInt(9000) : 0),
                random.nextBoolean() ? "--enable-attention-dp" : "--no-enable-attention-dp");
    }

    private static void check(Operator operator, String where) {
        Work work = operator.work();
        long read = bytes(operator.inputs());
        long written = bytes(operator.outputs());
        String what = operator.name() + " " + operator.label() + " in " + where;
        assertTrue(work.bytes() > 0 || read + written == 0, what);
        assertTrue(work.bytes() <= read + written, () -> what + ": " + work + " of " + read + " + " + written);
        if (usesEveryElement(operator)) {
            assertEquals(read + written, work.bytes(), what);
        }
        assertTrue(work.linkBytes() <= 2 * (read + written), what);
    }

    /** Operators that neither leave out nor look up anything. */
    private static boolean usesEveryElement(Operator operator) {
        return operator instanceof Linear
                || operator instanceof Add
                || operator instanceof RmsNorm
                || operator instanceof AddRmsNorm
                || operator instanceof Route
                || operator instanceof SortByExpert
                || operator instanceof AllGather
                || operator instanceof AllReduce
                || operator instanceof ReduceScatter;
    }

    private static long bytes(List<TensorRef> tensors) {
        Set<TensorRef> once = new HashSet<>(tensors);
        return once.stream().mapToLong(TensorRef::bytes).sum();
    }
}
