package layerwise.cuda.cupti;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DriverCallsTest {
    private final DriverCalls calls = new DriverCalls();

    private List<String> settled() {
        List<String> rows = new ArrayList<>();
        calls.settle((callbackId, threadId, correlationId, start, end, returnValue) -> rows.add(
                callbackId + " " + threadId + " " + correlationId + " " + start + " " + end + " " + returnValue));
        return rows;
    }

    @Test
    void keepsWhatNoRuntimeCallMade() {
        calls.add(307, 9, 1, 100, 110, 0);
        calls.add(514, 9, 2, 200, 210, 719);
        calls.runtimeCall(1);
        assertEquals(List.of("514 9 2 200 210 719"), settled());
        assertEquals(List.of(), settled());
    }

    @Test
    void growsBeyondItsFirstCapacity() {
        for (int i = 0; i < 1000; i++) {
            calls.add(307, 9, i, i, i + 1, 0);
        }
        assertEquals(1000, settled().size());
    }
}
