package layerwise.cuda.cupti;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;

/** The operating system's number of the calling thread, which CUPTI's records carry and Java does not know. */
final class OsThread {
    private OsThread() {}

    // pid_t gettid(void): a system call, so a critical downcall would save nothing that shows.
    private static final class Gettid {
        static final MethodHandle HANDLE = find();

        @SuppressWarnings("restricted") // descriptor as in unistd.h
        private static MethodHandle find() {
            Linker linker = Linker.nativeLinker();
            return linker.downcallHandle(linker.defaultLookup().findOrThrow("gettid"), FunctionDescriptor.of(JAVA_INT));
        }
    }

    static int id() {
        try {
            return (int) Gettid.HANDLE.invokeExact();
        } catch (Throwable t) {
            throw new AssertionError("gettid: wrong descriptor", t);
        }
    }
}
