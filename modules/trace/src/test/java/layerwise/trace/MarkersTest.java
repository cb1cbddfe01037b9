package layerwise.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MarkersTest {
    private static final ProblemSpec DECODE = new ProblemSpec(128, 1, 8193, OptionalDouble.empty());

    @Test
    void writesEveryMarkerExactlyAsTheGrammarHasIt() {
        Map<String, Object> args = new LinkedHashMap<>();
        args.put("model", "größe");
        args.put("layer_indices", List.of(5, 6));
        args.put("scaled_from", null);
        args.put("use_cuda_graph", true);
        assertEquals(
                "layer_wise_benchmarks args {\"model\": \"gr\\u00f6\\u00dfe\", \"layer_indices\": [5, 6],"
                        + " \"scaled_from\": null, \"use_cuda_graph\": true}",
                Markers.args(args));
        assertEquals(
                "layer_wise_benchmarks problem_spec {\"batch_size\": 128, \"seq_len_q\": 1, \"seq_len_kv_cache\": 8193,"
                        + " \"balance_ratio\": null}",
                Markers.problem(DECODE));
        assertEquals("b=128 s=1 past=8193 NP4", Markers.run(DECODE, 4));
        assertEquals(
                "b=1 s=4 past=0 balance=0.5 NP8", Markers.run(new ProblemSpec(1, 4, 0, OptionalDouble.of(0.5)), 8));
        assertEquals("layer_wise_benchmarks ignore", Markers.ignore());
        assertEquals("layer_wise_benchmarks layer_idx 60", Markers.layer(60));
        assertEquals(
                "layer_wise_benchmarks cost {\"operator\": \"mla.q_b\", \"shape\": \"128x1536\", \"format\": \"bf16\","
                        + " \"flops\": 12, \"bytes\": 34, \"link_bytes\": 56, \"bound\": \"memory\","
                        + " \"limit_ns\": 1.5, \"ceiling_ns\": null}",
                Markers.cost(new CostRecord("mla.q_b", "128x1536", "bf16", 12, 34, 56, "memory", 1.5, Double.NaN)));
    }

    @Test
    void parsesWhatItWrites() {
        CostRecord cost = new CostRecord("moe.up", "4x5", "nvfp4", 7, 8, 9, "links", 9.25, 10);
        ProblemSpec skewed = new ProblemSpec(3, 2, 1, OptionalDouble.of(0.125));
        assertEquals(new Marker.Cost(cost), Markers.parse(Markers.cost(cost)));
        assertEquals(new Marker.Problem(skewed), Markers.parse(Markers.problem(skewed)));
        assertEquals(new Marker.Problem(DECODE), Markers.parse(Markers.problem(DECODE)));
        assertEquals(new Marker.Run(Markers.run(DECODE, 1)), Markers.parse(Markers.run(DECODE, 1)));
        assertEquals(new Marker.Ignore(), Markers.parse(Markers.ignore()));
        assertEquals(new Marker.Layer(3), Markers.parse(Markers.layer(3)));
        Map<String, Object> args = Map.of("model", "größe", "warmup_times", 20);
        assertEquals(new Marker.Args(args), Markers.parse(Markers.args(args)));
    }

    @Test
    void readsMarkersOfTheReferenceToolWithPythonsNumbers() {
        Marker marker = Markers.parse("layer_wise_benchmarks problem_spec {\"batch_size\": 1, \"seq_len_q\": 2,"
                + " \"seq_len_kv_cache\": 3, \"balance_ratio\": NaN, \"added_later\": []}");
        Marker.Problem problem = (Marker.Problem) marker;
        assertTrue(Double.isNaN(problem.spec().balanceRatio().orElseThrow()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"MoE", "b=1 s=x ", "[DG] candidate 3", "Layer_wise_benchmarks args {}", "b=1 s=2"})
    void takesEveryOtherTextForAModule(String text) {
        assertEquals(new Marker.Module(text), Markers.parse(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"layer_wise_benchmarks problem_spec {\"batch_size\": 1}", "layer_wise_benchmarks args {\"a\""})
    void namesTheMarkerWhoseJsonIsDamaged(String text) {
        TraceException e = assertThrows(TraceException.class, () -> Markers.parse(text));
        assertTrue(e.getMessage().startsWith("marker 'layer_wise_benchmarks "), e.getMessage());
        assertTrue(e.getMessage().lines().count() == 1, e.getMessage());
    }

    /** Expected values were printed by CPython 3.12: {@code format(x, '.2g')}. */
    @ParameterizedTest
    @CsvSource({
        "0.0, 0",
        "-0.0, -0",
        "1.0, 1",
        "0.5, 0.5",
        "0.25, 0.25",
        "0.125, 0.12",
        "0.375, 0.38",
        "0.996, 1",
        "9.96, 10",
        "99.5, 1e+02",
        "100.0, 1e+02",
        "123456.0, 1.2e+05",
        "0.0001, 0.0001",
        "0.00001234, 1.2e-05",
        "1e-10, 1e-10",
        "2.5, 2.5",
        "0.1, 0.1",
        "0.15, 0.15",
        "0.045, 0.045",
        "1e100, 1e+100",
        "-0.3333, -0.33",
        "NaN, nan",
        "Infinity, inf",
        "-Infinity, -inf",
        "10.5, 10",
        "11.5, 12"
    })
    void writesRatiosAsPythonDoes(double value, String expected) {
        assertEquals(expected, Markers.ratio(value));
    }

    @ParameterizedTest
    @ValueSource(strings = {"tr-TR", "ar-EG", "de-DE", "hi-IN-u-nu-deva"})
    void isTheSameInEveryLocale(String tag) {
        Locale before = Locale.getDefault();
        String expected = Markers.run(new ProblemSpec(1, 2, 3, OptionalDouble.of(0.25)), 4);
        try {
            Locale.setDefault(Locale.forLanguageTag(tag));
            assertEquals(expected, Markers.run(new ProblemSpec(1, 2, 3, OptionalDouble.of(0.25)), 4));
            assertEquals("b=1 s=2 past=3 balance=0.25 NP4", expected);
        } finally {
            Locale.setDefault(before);
        }
    }
}
