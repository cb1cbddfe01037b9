package layerwise.bench.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import layerwise.bench.estimate.EstimateRun;
import layerwise.trace.NvtxRanges;
import layerwise.trace.TraceFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What nsys is told of a run, heard by a fake NVTX. */
class NsysRunTest {
    private static final String[] ARGUMENTS = {
        "quickstart.yaml",
        "--device",
        "reference",
        "--seq-len-kv-cache",
        "16",
        "--batch-size",
        "1,2",
        "--run-times",
        "2"
    };

    @TempDir
    Path folder;

    private List<String> heard() throws IOException {
        return FakeLibrary.compile("fake_nvtx.c", "libnvtx3interop.so.1", folder)
                .run(NsysRunProgram.class, ARGUMENTS);
    }

    /** The ranges of the same run, recorded by this program. */
    private List<String> recorded() {
        PrintStream silent = new PrintStream(PrintStream.nullOutputStream());
        RunCommand.run(List.of(ARGUMENTS), Map.of("PROFILE_DIR", folder.toString()), silent, silent, EstimateRun::run);
        NvtxRanges ranges =
                TraceFile.open(folder.resolve("report_np1_rank0.sqlite")).ranges();
        return IntStream.range(0, ranges.size())
                .mapToObj(range -> ranges.texts().get(ranges.textNumber(range)))
                .toList();
    }

    @Test
    void hearsTheRangesOfTheBuiltInTracerInTheirOrderAndNested() throws IOException {
        List<String> texts = new ArrayList<>();
        Deque<String> open = new ArrayDeque<>();
        int deepest = 0;
        for (String line : heard()) {
            if (line.equals("pop")) {
                open.pop();
            } else {
                assertTrue(line.startsWith("push "), line);
                open.push(line.substring("push ".length()));
                texts.add(open.peek());
                deepest = Math.max(deepest, open.size());
            }
        }
        assertTrue(open.isEmpty(), open.toString());
        assertTrue(deepest >= 3, "modules nest, and a cost stands inside them");
        assertTrue(texts.getFirst().startsWith("layer_wise_benchmarks args {\"model\": "), texts.getFirst());
        assertTrue(
                texts.get(1).startsWith("layer_wise_benchmarks problem_spec {\"batch_size\": 1, \"seq_len_q\": 1, "),
                texts.get(1));
        assertTrue(texts.contains("b=2 s=1 past=16 NP1"), texts.toString());
        assertTrue(texts.contains("MLA") && texts.contains("Deepseekv3MoE"), texts.toString());
        assertTrue(texts.stream().anyMatch(text -> text.startsWith("layer_wise_benchmarks cost ")));
        assertEquals(recorded(), texts);
    }
}
