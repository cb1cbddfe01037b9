package layerwise.cuda.cupti;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * C++ names as Nsight Systems prints them: {@code __cxa_demangle} of libstdc++ with its spelling changed where the
 * tools that read traces depend on it. Without libstdc++ names stay mangled.
 */
final class Demangler {
    private static final Pattern POINTER = Pattern.compile("(?<=[\\w>])(?=[*&])");

    private Demangler() {}

    /** {@code _ZN2at4fillEPf} becomes {@code at::fill(float *)}; a name that is not C++ stays as it is. */
    static String demangle(String mangled) {
        if (!mangled.startsWith("_Z") || !CxaDemangle.FOUND) {
            return mangled;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(JAVA_INT);
            MemorySegment text = demangle(arena.allocateFrom(mangled), status);
            if (text.address() == 0) {
                return mangled;
            }
            try {
                return respell(read(text));
            } finally {
                free(text);
            }
        }
    }

    /** libstdc++'s spelling to Nsight's. */
    static String respell(String demangled) {
        return POINTER.matcher(demangled.replace("(anonymous namespace)", "<unnamed>"))
                .replaceAll(" ");
    }

    /** The name without return type, scopes, template arguments and parameters. */
    static String baseName(String demangled) {
        int depth = 0; // of template brackets
        int inner = 0; // of parentheses inside them: a > in there is an operator
        int start = 0;
        int end = demangled.length();
        for (int i = 0; i < demangled.length(); i++) {
            char c = demangled.charAt(i);
            if (c == '<' && inner == 0) {
                if (depth++ == 0 && i > start) {
                    end = i; // template arguments, unless more follows
                }
            } else if (c == '>' && inner == 0) {
                depth--;
            } else if (depth > 0) {
                inner += c == '(' ? 1 : c == ')' ? -1 : 0;
            } else if (c == ' ' || c == ':') {
                start = i + 1;
                end = demangled.length();
            } else if (c == '(') {
                end = Math.min(end, i);
                break;
            }
        }
        return end > start ? demangled.substring(start, end) : demangled;
    }

    @SuppressWarnings("restricted") // a string that __cxa_demangle made
    private static String read(MemorySegment text) {
        return text.reinterpret(Long.MAX_VALUE).getString(0);
    }

    // char *__cxa_demangle(const char *name, char *buffer, size_t *length, int *status): cxxabi.h
    @SuppressWarnings("restricted") // descriptors as in cxxabi.h and stdlib.h
    private static final class CxaDemangle {
        static final boolean FOUND;
        static final MethodHandle HANDLE;

        static {
            Linker linker = Linker.nativeLinker();
            SymbolLookup library;
            try {
                library = SymbolLookup.libraryLookup("libstdc++.so.6", Arena.global());
            } catch (IllegalArgumentException absent) {
                library = _ -> Optional.empty();
            }
            MemorySegment symbol = library.find("__cxa_demangle").orElse(null);
            FOUND = symbol != null;
            HANDLE = FOUND
                    ? linker.downcallHandle(symbol, FunctionDescriptor.of(ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS))
                    : null;
        }

        private static final class Free {
            static final MethodHandle HANDLE = Linker.nativeLinker()
                    .downcallHandle(
                            Linker.nativeLinker().defaultLookup().findOrThrow("free"),
                            FunctionDescriptor.ofVoid(ADDRESS));
        }
    }

    private static MemorySegment demangle(MemorySegment name, MemorySegment status) {
        try {
            return (MemorySegment) CxaDemangle.HANDLE.invokeExact(name, MemorySegment.NULL, MemorySegment.NULL, status);
        } catch (Throwable t) {
            throw new AssertionError("__cxa_demangle: wrong descriptor", t);
        }
    }

    private static void free(MemorySegment text) {
        try {
            CxaDemangle.Free.HANDLE.invokeExact(text);
        } catch (Throwable t) {
            throw new AssertionError("free: wrong descriptor", t);
        }
    }
}
