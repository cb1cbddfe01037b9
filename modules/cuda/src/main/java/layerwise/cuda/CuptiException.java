package layerwise.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import layerwise.bindings.cupti.cupti_h;

/** A CUPTI call failed. */
public final class CuptiException extends DeviceException {
    private static final long serialVersionUID = 1L;

    private CuptiException(int status, String call) {
        super(call, name(status), status, text(status), "");
    }

    /** Throws if {@code status} is an error; allocates nothing otherwise. */
    public static void check(int status, String call) {
        if (status != 0) {
            throw new CuptiException(status, call);
        }
    }

    private static String name(int status) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment string = arena.allocate(cupti_h.C_POINTER);
            return string(cupti_h.cuptiGetResultString(status, string), string);
        }
    }

    private static String text(int status) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment string = arena.allocate(cupti_h.C_POINTER);
            return string(cupti_h.cuptiGetErrorMessage(status, string), string);
        }
    }

    private static String string(int found, MemorySegment string) {
        return found == 0 ? string.get(cupti_h.C_POINTER, 0).getString(0) : "unknown result";
    }
}
