package layerwise.cuda.cupti;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import layerwise.trace.KernelActivity;
import layerwise.trace.TraceRecorder;

/** The three names of a kernel's row, each as the id of a string; for one thread at a time. */
final class KernelNames {
    private record Ids(int mangled, int demangled, int base) {}

    private final TraceRecorder recorder;
    private final Map<String, Ids> byName = new HashMap<>();
    private final Map<Long, Ids> byAddress = new HashMap<>();

    KernelNames(TraceRecorder recorder) {
        this.recorder = recorder;
    }

    /** Sets the names in a row; {@code name} is the C string that the record points to. */
    void setNames(KernelActivity kernel, MemorySegment name) {
        Ids ids =
                byAddress.computeIfAbsent(name.address(), _ -> byName.computeIfAbsent(name.getString(0), this::intern));
        kernel.mangledName = ids.mangled();
        kernel.demangledName = ids.demangled();
        kernel.shortName = ids.base();
    }

    /** Forgets addresses: CUPTI may free the names of modules that are unloaded between two problems. */
    void forgetAddresses() {
        byAddress.clear();
    }

    private Ids intern(String mangled) {
        String demangled = Demangler.demangle(mangled);
        return new Ids(
                recorder.string(mangled), recorder.string(demangled), recorder.string(Demangler.baseName(demangled)));
    }
}
