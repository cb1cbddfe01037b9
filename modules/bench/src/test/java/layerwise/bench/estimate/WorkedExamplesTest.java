package layerwise.bench.estimate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import layerwise.bench.config.RunConfig;
import layerwise.op.Operator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Work of real layers, computed by hand from their dimensions, to the printed digit.
 *
 * <p>The examples are in {@code worked-examples.csv}: model, layer, run type, further options, a pattern of names and labels
 * of the operators that a line is about, their GFLOP and their MB together, {@code -} where there is nothing to compare, and
 * why a line counts otherwise than the published example.
 * Operators are those that layers emit, before fusion.
 */
class WorkedExamplesTest {
    /** Lines of the file; JUnit's own reader does not see the resources of a module. */
    static List<Arguments> examples() throws IOException {
        try (InputStream in = WorkedExamplesTest.class.getResourceAsStream("worked-examples.csv")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .skip(1)
                    .map(line -> Arguments.of((Object[]) Arrays.copyOf(line.split(";"), 7)))
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("examples")
    void costsAreThoseOfTheExamples(
            String model,
            String layer,
            String runType,
            String options,
            String pattern,
            String gflop,
            String megabytes) {
        RunConfig config = Plans.shipped(
                runType, model, (options + " --layer-indices " + layer).strip().split(" "));
        List<Operator> operators = Plans.plan(config, 0, 1)
                .plain(config.problems().getFirst())
                .operators()
                .stream()
                .filter(operator -> Pattern.matches(pattern, operator.name() + " " + operator.label()))
                .toList();
        assertFalse(operators.isEmpty(), "no operator is like " + pattern);
        assertPrinted(gflop, operators.stream().mapToLong(o -> o.work().flops()).sum() / 1e9);
        assertPrinted(
                megabytes, operators.stream().mapToLong(o -> o.work().bytes()).sum() / 1e6);
    }

    private static void assertPrinted(String expected, double value) {
        if (!expected.equals("-")) {
            int decimals = expected.contains(".") ? expected.length() - expected.indexOf('.') - 1 : 0;
            assertEquals(expected, String.format(Locale.ROOT, "%." + decimals + "f", value));
        }
    }
}
