package layerwise.model.balance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import layerwise.tensor.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class BalanceVectorsTest {
    static Stream<JsonNode> vectors() throws IOException {
        try (InputStream file = BalanceVectorsTest.class.getResourceAsStream("balance-vectors.json")) {
            JsonNode cases = new ObjectMapper().readTree(file).path("cases");
            assertEquals(360, cases.size());
            return StreamSupport.stream(cases.spliterator(), false);
        }
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void selectsTheExpertsOfTheVector(JsonNode vector) {
        ExpertSelection selection = new ExpertSelection(
                vector.path("num_tokens").intValue(),
                vector.path("top_k").intValue(),
                vector.path("num_experts").intValue(),
                vector.path("ep_size").intValue(),
                vector.path("dp_size").intValue(),
                vector.path("dp_rank").intValue());
        BalanceMethod method = Arrays.stream(BalanceMethod.values())
                .filter(candidate ->
                        candidate.toString().equals(vector.path("method").textValue()))
                .findFirst()
                .orElseThrow();
        JsonNode given = vector.path("balance_ratio");
        OptionalDouble ratio = given.isNull() ? OptionalDouble.empty() : OptionalDouble.of(given.doubleValue());

        if (vector.has("error")) {
            assertEquals("TOP_K_EXCEEDS_EXPERTS_PER_RANK", vector.path("error").textValue());
            ConfigException e =
                    assertThrows(ConfigException.class, () -> selection.select(method, ratio, Assignment.ROUND_ROBIN));
            assertTrue(e.getMessage()
                    .contains("Cannot send all tokens to a single rank because `top_k > experts_per_rank`"));
            return;
        }
        if (vector.has("num_balanced_tokens")) {
            assertEquals(vector.path("num_balanced_tokens").intValue(), selection.balancedTokens(ratio.getAsDouble()));
        }
        assertArrayEquals(
                flat(vector.path("expected")),
                selection.select(method, ratio, Assignment.ROUND_ROBIN).orElseThrow());
    }

    @Test
    void leavesTheRoutersChoiceWhereItIsNotModified() {
        assertTrue(new ExpertSelection(4, 2, 8, 2, 2, 0)
                .select(BalanceMethod.NOT_MODIFIED, OptionalDouble.empty(), Assignment.ROUND_ROBIN)
                .isEmpty());
    }

    private static int[] flat(JsonNode rows) {
        return StreamSupport.stream(rows.spliterator(), false)
                .flatMapToInt(row ->
                        IntStream.range(0, row.size()).map(i -> row.get(i).intValue()))
                .toArray();
    }
}
