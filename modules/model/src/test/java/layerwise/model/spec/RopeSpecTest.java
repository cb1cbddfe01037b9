package layerwise.model.spec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class RopeSpecTest {
    private static final MlaSpec R1 = (MlaSpec) ModelCatalogTest.SHIPPED
            .find("deepseek-ai/DeepSeek-R1-0528")
            .layer(5)
            .mixer()
            .orElseThrow();

    @Test
    void yarnKeepsHighFrequenciesAndDividesLowOnes() {
        // Inverse frequencies of DeepSeek-R1: base 10000, 64 dimensions, factor 40 from 4096 positions.
        double[] expected = {
            1.000000e+00, 7.498942e-01, 5.623413e-01, 4.216965e-01, 3.162278e-01, 2.371374e-01, 1.778279e-01,
            1.333521e-01, 1.000000e-01, 7.498942e-02, 5.623413e-02, 3.900693e-02, 2.687936e-02, 1.837815e-02,
            1.244796e-02, 8.334509e-03, 5.500000e-03, 3.561997e-03, 2.249365e-03, 1.370514e-03, 7.905694e-04,
            4.149904e-04, 1.778279e-04, 3.333804e-05, 2.500000e-05, 1.874736e-05, 1.405853e-05, 1.054241e-05,
            7.905694e-06, 5.928434e-06, 4.445698e-06, 3.333804e-06
        };
        double[] actual = R1.rope().frequencies(64);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], expected[i] * 1e-6, "pair " + i);
        }
    }

    @Test
    void softmaxScaleCarriesTheLengthCorrectionTwice() {
        assertEquals(0.1352337789, R1.softmaxScale(), 1e-10);
        assertEquals(1, R1.rope().amplitude());
    }

    @Test
    void plainRotationHasNoCorrection() {
        RopeSpec plain = new RopeSpec(100, Optional.empty());
        assertEquals(1, plain.softmaxCorrection());
        assertArrayEquals(new double[] {1, 0.1}, plain.frequencies(4), 1e-12);
    }
}
