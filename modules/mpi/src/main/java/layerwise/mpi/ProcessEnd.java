package layerwise.mpi;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The end of a process whose run is over.
 *
 * <p>{@link Runtime#halt} still runs what C libraries do at exit, and CUDA's waits for kernels: with several GPUs those wait
 * a minute for a rank that is gone.
 */
public final class ProcessEnd {
    @SuppressWarnings("restricted") // descriptor as in unistd.h
    private static final MethodHandle EXIT = Linker.nativeLinker()
            .downcallHandle(
                    Linker.nativeLinker().defaultLookup().findOrThrow("_exit"),
                    FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT));

    private ProcessEnd() {}

    /** Ends this process at once, with nothing closed and nothing flushed. */
    public static void now(int status) {
        try {
            EXIT.invokeExact(status);
        } catch (Throwable e) {
            throw new IllegalStateException("_exit(%d) failed".formatted(status), e);
        }
    }
}
