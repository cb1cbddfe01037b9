package layerwise.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Locale;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MatmulProblemTest {
    private final Locale locale = Locale.getDefault();

    @AfterEach
    void restoreLocale() {
        Locale.setDefault(locale);
    }

    @Test
    void putsTheWeightOfALinearLayerFirstAndTransposed() {
        MatmulProblem problem = MatmulProblem.linear(128, 2112, 7168, DType.BF16, DType.BF16);
        assertEquals(2112, problem.m());
        assertEquals(128, problem.n());
        assertEquals(7168, problem.k());
        assertTrue(problem.transposeA());
        assertFalse(problem.transposeB());
        assertEquals(7168, problem.a().leadingDimension());
        assertEquals(7168, problem.b().leadingDimension());
        assertEquals(2112, problem.d().leadingDimension());
        assertEquals(2L * 128 * 2112 * 7168, problem.flops());
    }

    @Test
    void namesEverythingThatAnAlgorithmDependsOnInEveryLocale() {
        Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
        MatmulProblem problem = MatmulProblem.linear(128, 2112, 7168, DType.E4M3, DType.BF16)
                .withScales(MatmulProblem.Scales.BLOCK_128);
        assertEquals(
                "2112x128x7168 TN E4M3*E4M3->BF16 ld 7168,7168,2112 batch 1 (0,0,0) block_128", problem.toString());
    }

    @Test
    void readsBackAnAlgorithmThatWasKeptAsText() {
        byte[] data = new byte[MatmulAlgorithm.BYTES];
        for (int i = 0; i < data.length; i++) {
            data[i] = (byte) (3 * i + 129);
        }
        MatmulAlgorithm algorithm = new MatmulAlgorithm(data, 33_554_432);
        String hex = algorithm.toHex();
        assertTrue(hex.endsWith(":33554432"), hex);
        assertEquals(algorithm, MatmulAlgorithm.parse(hex));
    }

    @Test
    void refusesTextThatIsNoAlgorithm() {
        for (String text :
                new String[] {"", "00:1", "0".repeat(128), "g".repeat(128) + ":1", "0".repeat(128) + ":-1"}) {
            var failure = assertThrows(ConfigException.class, () -> MatmulAlgorithm.parse(text));
            assertTrue(failure.getMessage().contains("\"" + text + "\""), failure.getMessage());
        }
    }
}
