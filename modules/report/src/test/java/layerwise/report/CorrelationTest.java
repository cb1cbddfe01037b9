package layerwise.report;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import layerwise.report.profile.Correlation;
import layerwise.trace.TraceException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CorrelationTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        "ABC, AXCY, 1 2 3 4",
        "ABCD, XBYZD, 1 2 2.6666666666666665 3.3333333333333335 4",
        "AB, XYA, 0 0.5 1",
        "ABCD, AD, 1 4"
    })
    void placesKernelsAsTheReferenceDoes(String reference, String target, String expected) {
        double[] places = Arrays.stream(expected.split(" "))
                .mapToDouble(Double::parseDouble)
                .toArray();
        assertArrayEquals(places, Correlation.places(letters(reference), letters(target)), 0x1p-50);
    }

    @Test
    void refusesTimelinesWithNothingInCommon() {
        assertThrows(TraceException.class, () -> Correlation.places(letters("AB"), letters("CD")));
    }

    @Test
    void drawsTimelinesOfTheReferencesForm() throws IOException {
        Path one = Files.writeString(folder.resolve("one.json"), """
                [{"name": "parse_e2e", "timeline": [{"name": "void f<T>(int)", "duration": 1000, "end": 1000.5},
                 {"name": "g", "duration": 2000.0, "end": 3000}]}]""");
        Path two = Files.writeString(folder.resolve("two.json"), """
                [{"name": "b=1", "timeline": [{"name": "g", "duration": 5, "end": 5}]},
                 {"name": "<b>", "timeline": [{"name": "g", "duration": 7, "end": 7}]}]""");
        Path page = folder.resolve("page.html");
        ProgramRun drawn = ProgramRun.of("correlate", "--reference", "" + one, "--target", "" + two, "-o", "" + page);
        assertEquals(0, drawn.status(), drawn.err());
        String html = Files.readString(page);
        assertTrue(html.contains("reference: parse_e2e") && html.contains("target0: &lt;b&gt;"), html);
        assertEquals(2 * 4, html.split("<circle").length - 1, "two charts with all kernels");

        ProgramRun ambiguous =
                ProgramRun.of("correlate", "--reference", "" + two, "--target", "" + one, "-o", "" + page);
        assertEquals(2, ambiguous.status());
        assertTrue(ambiguous.err().contains("Ambiguous reference data"), ambiguous.err());
        Path wrong = Files.writeString(folder.resolve("wrong.json"), "[{\"timeline\": [{\"name\": 3}]}]");
        ProgramRun incomplete = ProgramRun.of("correlate", "--reference", "" + one, "--target", "" + wrong);
        assertEquals(2, incomplete.status());
        assertTrue(incomplete.err().contains("lacks name, duration or end"), incomplete.err());
    }

    private static List<String> letters(String text) {
        return Arrays.asList(text.split(""));
    }
}
