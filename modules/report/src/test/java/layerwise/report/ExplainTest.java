package layerwise.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExplainTest {
    @TempDir
    Path folder;

    /** 3 MB in 4 us where 1 us would do: the one operator of the trace. */
    @Test
    void namesWhatIsLostAndWhatBindsInPlainWords() {
        RecordedTrace.write(folder.resolve("t.sqlite"), 0);
        ProgramRun run = ProgramRun.of("explain", folder.resolve("t.html").toString());
        assertEquals(0, run.status(), run.err());
        assertTrue(
                run.out().contains("\": 5.0 us. The limits of its operators are 1.0 us together, 20.0 % of it."),
                run.out());
        assertTrue(run.out().contains("""
                        1. MLA > mla.q 2x3 (gemm, reduce)
                           4.0 us, 3.0 us more than its limit of 1.0 us; 60.0 % of the total.
                           Memory binds it: 3.00 MB at 3000 GB/s. It moves 750 GB/s, 25.0 %. That is too little work to fill"""), run.out());
        assertTrue(run.out().contains("no kernel ran for 0.1 us"), run.out());
    }

    @Test
    void refusesWhatIsNoTraceInOneLine() {
        ProgramRun run =
                ProgramRun.of("explain", folder.resolve("nothing.sqlite").toString());
        assertEquals(2, run.status());
        assertEquals(1, run.err().lines().count(), run.err());
        RecordedTrace.write(folder.resolve("t.sqlite"), 0);
        assertEquals(
                2,
                ProgramRun.of(
                                "explain",
                                "--rows",
                                "0",
                                folder.resolve("t.sqlite").toString())
                        .status());
    }
}
