package layerwise.bench.config;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PythonFormatTest {
    // The right-hand sides are what CPython 3.11 prints for '{:.1f}' and repr.
    @ParameterizedTest
    @CsvSource({"0.25, 0.2", "0.35, 0.3", "0.75, 0.8", "0.15, 0.1", "2.0, 2.0", "99999.95, 99999.9", "1e7, 10000000.0"})
    void printsOneDecimal(double value, String text) {
        assertEquals(text, PythonFormat.fixed1(value));
    }

    @ParameterizedTest
    @CsvSource({
        "0.5, 0.5",
        "1.0, 1.0",
        "0.0, 0.0",
        "0.1, 0.1",
        "0.00001, 1e-05",
        "0.0001, 0.0001",
        "0.123456789012, " + "0.123456789012",
        "1.5e-7, 1.5e-07",
        "1e16, 1e+16",
        "123456789.0, 123456789.0"
    })
    void printsTheShortestDigitsThatRoundTrip(double value, String text) {
        assertEquals(text, PythonFormat.repr(value));
    }
}
