package layerwise.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class NearestNamesTest {
    private static final List<String> KNOWN = List.of("batch_size", "max_batch_size", "seq_len_q", "layer_indices");

    @Test
    void closestComesFirst() {
        assertEquals(List.of("batch_size", "max_batch_size"), NearestNames.of("batchsize", KNOWN));
    }

    @Test
    void caseDoesNotCount() {
        assertEquals(List.of("seq_len_q"), NearestNames.of("SEQ_LEN_Q", KNOWN));
    }

    @Test
    void farNamesAreNoSuggestion() {
        assertEquals(List.of(), NearestNames.of("zzz", KNOWN));
        assertEquals("", NearestNames.hint("zzz", KNOWN));
    }

    @Test
    void equallyNearNamesKeepTheirOrder() {
        assertEquals("; nearest: b1, a1, c1", NearestNames.hint("x1", List.of("b1", "a1", "c1", "d1")));
    }
}
