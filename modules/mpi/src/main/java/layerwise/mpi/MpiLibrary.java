package layerwise.mpi;

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
import layerwise.bindings.mpi.mpi_h;
import layerwise.tensor.ConfigException;

/**
 * Open MPI's library, versions 4 and 5, which share a binary interface; predefined handles are data symbols there.
 *
 * @param version its own words, the first line
 */
@SuppressWarnings("restricted") // loading native code is what it is for
record MpiLibrary(String version) {
    private static final String SONAME = "libmpi.so.40";
    private static final int RTLD_NOW = 2; // dlfcn.h
    private static final int RTLD_GLOBAL = 0x100; // dlfcn.h
    private static final Pattern KNOWN = Pattern.compile("Open MPI v[45]\\.");

    private static final MethodHandle DLOPEN = downcall("dlopen", FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_INT));

    /**
     * Loads it; it stays loaded.
     *
     * @return empty where there is none
     * @throws ConfigException if what has its name is another MPI
     */
    static Optional<MpiLibrary> load() {
        // Open MPI's plug-ins look for its symbols among those of the whole process: a plain load would hide them.
        try (Arena arena = Arena.ofConfined()) {
            if (dlopen(arena.allocateFrom(SONAME), RTLD_NOW | RTLD_GLOBAL).address() == 0) {
                return Optional.empty();
            }
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(mpi_h.MPI_MAX_LIBRARY_VERSION_STRING());
            MpiCommunicator.check(
                    mpi_h.MPI_Get_library_version(text, arena.allocate(JAVA_INT)), "MPI_Get_library_version");
            String version = text.getString(0).lines().findFirst().orElse("");
            if (!KNOWN.matcher(version).lookingAt()) {
                throw new ConfigException("MPI: %s is '%s': expected Open MPI 4 or 5".formatted(SONAME, version));
            }
            return Optional.of(new MpiLibrary(version.replaceFirst(",.*", "")));
        }
    }

    /** A predefined handle: what the macro of that name in {@code mpi.h} is the address of. */
    MemorySegment handle(String symbol) {
        return SymbolLookup.libraryLookup(SONAME, Arena.global()).findOrThrow(symbol);
    }

    private static MethodHandle downcall(String name, FunctionDescriptor descriptor) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor);
    }

    private static MemorySegment dlopen(MemorySegment file, int mode) {
        try {
            return (MemorySegment) DLOPEN.invokeExact(file, mode);
        } catch (Throwable t) {
            throw new AssertionError("dlopen: wrong descriptor", t);
        }
    }
}
