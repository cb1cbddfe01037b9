package layerwise.model.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import layerwise.op.Batch;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.Work;
import layerwise.tensor.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The least work of operators against figures that were published for whole models. */
class LeastWorkTest {
    private static Work work(Program program, String operator, String label) {
        List<Operator> found = program.operators().stream()
                .filter(op -> op.name().equals(operator) && op.label().contains(label))
                .toList();
        assertEquals(1, found.size(), operator + " " + label + ": " + found.size());
        return found.getFirst().work();
    }

    /**
     * Published least work of DeepSeek-R1's decode step: batch 128, one new token over 8,193 cached ones. The published
     * figures have 16-bit queries: those for an E4M3 cache are codes, 8.4 and 9.4 MB less.
     */
    @ParameterizedTest
    @CsvSource({
        "E4M3, Linear, 128x2112x7168 bf16, 3.88, 32.7",
        "E4M3, Linear, 128x24576x1536 bf16, 9.66, 82.2",
        "BF16, HeadLinear, 128x128x512x128, 2.15, 37.7",
        "E4M3, HeadLinear, 128x128x512x128, 2.15, 29.4",
        "E4M3, MlaDecodeAttention, B128, 292.1, 630.4",
        "E4M3, HeadLinear, 128x128x128x512, 2.15, 37.7",
        "E4M3, Linear, 128x7168x16384 nvfp4, 30.1, 72.1",
        "E4M3, Linear, 128x256x7168, 0.47, 5.6",
    })
    void decodeStepCostsWhatItMust(DType cache, String operator, String label, double gflop, double megabytes) {
        Program program = SlicedModel.of(
                        "nvidia/DeepSeek-R1-0528-FP4-v2",
                        List.of(5),
                        Phase.GENERATION,
                        Batch.uniform(128, 1, 8193),
                        cache)
                .program();
        Work work = work(program, operator, label);
        assertEquals(gflop, work.flops() / 1e9, 0.005 * gflop + 0.005);
        // Published figures are rounded to 0.1 MB and leave out the tables.
        assertEquals(megabytes, work.bytes() / 1e6, 0.05 + 0.001 * megabytes);
    }

    @Test
    void prefillAttentionCostsWhatItMust() {
        Program program = SlicedModel.of(
                        "nvidia/DeepSeek-R1-0528-FP4-v2",
                        List.of(5),
                        Phase.CONTEXT,
                        Batch.uniform(1, 8193, 0),
                        DType.E4M3)
                .program();
        Work attention = work(program, "MlaPrefillAttention", "");
        assertEquals(2749.8, attention.flops() / 1e9, 0.1);
        // Keys' rotated part is one for all heads, and so are its bytes.
        long elements = 8193L * (128 * (192 + 256 + 128) + 64);
        assertEquals(2 * elements, attention.bytes());
    }

    /** Published least work of one decode step of 128 sequences over 8,193 tokens, states in 16 bits. */
    @ParameterizedTest
    @CsvSource({
        "4, Linear, 128x10304x2688, 7.09, 58.7",
        "4, CausalConv1d, B128, 0.006, 12.6",
        "4, SsdStateUpdate, B128, 0.40, 271",
        "4, GatedRmsNorm, 128x8x512, 0.005, 3.1",
        "4, Linear, 128x2688x4096, 2.82, 23.8",
        "5, Linear, 128x4608x2688, 3.17, 26.6",
        "5, GqaDecodeAttention, B128, 17.2, 1074",
        "5, Linear, 128x2688x4096, 2.82, 23.8",
        "6, Linear, 128x128x2688, 0.09, 1.4",
    })
    void nemotronsDecodeStepCostsWhatItMust(int layer, String operator, String label, double gflop, double megabytes) {
        Program program = SlicedModel.of(
                        "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16",
                        List.of(layer),
                        Phase.GENERATION,
                        Batch.uniform(128, 1, 8193),
                        DType.BF16)
                .program();
        assertWork(work(program, operator, label), gflop, megabytes);
    }

    /** Published least work of one prefill step of 8,193 tokens. */
    @ParameterizedTest
    @CsvSource({
        "4, Linear, 8193x10304x2688, 453.8, 268",
        "4, CausalConv1d, B1, 0.40, 201",
        "4, SsdChunkScan, B1, 28.4, 170",
        "5, Linear, 8193x4608x2688, 203.0, 144",
        "5, GqaPrefillAttention, B1, 550.0, 143",
    })
    void nemotronsPrefillCostsWhatItMust(int layer, String operator, String label, double gflop, double megabytes) {
        Program program = SlicedModel.of(
                        "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16",
                        List.of(layer),
                        Phase.CONTEXT,
                        Batch.uniform(1, 8193, 0),
                        DType.BF16)
                .program();
        assertWork(work(program, operator, label), gflop, megabytes);
    }

    @ParameterizedTest
    @CsvSource({
        "6, Linear, 128x12288x2048, 6.44, 54.0",
        "6, Linear, 128x64x2048, 0.03, 0.8",
        "6, CausalConv1d, B128, 0.008, 16.8",
        "6, DeltaRuleUpdate, B128, 0.47, 272",
        "6, Linear, 128x2048x4096, 2.15, 18.4",
        "7, Linear, 128x9216x2048, 4.83, 40.6",
        "7, GqaDecodeAttention, B128, 17.2, 2148",
        "7, Linear, 128x2048x4096, 2.15, 18.4",
    })
    void qwensDecodeStepCostsWhatItMust(int layer, String operator, String label, double gflop, double megabytes) {
        Program program = SlicedModel.of(
                        "Qwen/Qwen3-Next-80B-A3B-Instruct",
                        List.of(layer),
                        Phase.GENERATION,
                        Batch.uniform(128, 1, 8193),
                        DType.BF16)
                .program();
        assertWork(work(program, operator, label), gflop, megabytes);
    }

    @ParameterizedTest
    @CsvSource({
        "6, Linear, 8193x12288x2048, 412.4, 285",
        "6, CausalConv1d, B1, 0.54, 268",
        "6, DeltaRuleChunkScan, B1, 48.3, 203",
        "7, Linear, 8193x9216x2048, 309.3, 222",
        "7, GqaPrefillAttention, B1, 550.0, 151",
    })
    void qwensPrefillCostsWhatItMust(int layer, String operator, String label, double gflop, double megabytes) {
        Program program = SlicedModel.of(
                        "Qwen/Qwen3-Next-80B-A3B-Instruct",
                        List.of(layer),
                        Phase.CONTEXT,
                        Batch.uniform(1, 8193, 0),
                        DType.BF16)
                .program();
        assertWork(work(program, operator, label), gflop, megabytes);
    }

    private static void assertWork(Work work, double gflop, double megabytes) {
        // Published figures count a last chunk of one token as a whole one, and have three digits at most.
        assertEquals(gflop, work.flops() / 1e9, 0.02 * gflop + 0.005);
        assertEquals(megabytes, work.bytes() / 1e6, 0.03 * megabytes + 0.05);
    }
}
