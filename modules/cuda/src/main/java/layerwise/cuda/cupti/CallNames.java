package layerwise.cuda.cupti;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import layerwise.bindings.cupti.cupti_h;
import layerwise.cuda.CuptiException;

/** Names of CUDA API functions with their version, as in {@code cudaLaunchKernel_v7000}. */
@FunctionalInterface
interface CallNames {
    String name(boolean driver, int callbackId);

    /** CUPTI's own, each asked once; for one thread at a time. */
    static CallNames ofCupti() {
        Map<Integer, String> driverNames = new HashMap<>();
        Map<Integer, String> runtimeNames = new HashMap<>();
        return (driver, callbackId) -> (driver ? driverNames : runtimeNames)
                .computeIfAbsent(
                        callbackId,
                        id -> ask(
                                driver ? cupti_h.CUPTI_CB_DOMAIN_DRIVER_API() : cupti_h.CUPTI_CB_DOMAIN_RUNTIME_API(),
                                id));
    }

    private static String ask(int domain, int callbackId) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocate(cupti_h.C_POINTER);
            CuptiException.check(cupti_h.cuptiGetCallbackName(domain, callbackId, name), "cuptiGetCallbackName");
            return name.get(cupti_h.C_POINTER, 0).getString(0);
        }
    }
}
