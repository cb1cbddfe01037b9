package layerwise.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/**
 * Opens shared libraries as the C loader finds them, and says which file that was.
 *
 * <p>The generated bindings look symbols up in the libraries of their class loader, which takes absolute paths only; so a
 * bare name is resolved by {@code dlopen} first and the file it found is then loaded for the bindings.
 */
@SuppressWarnings("restricted") // loading native code is what it is for
final class DynamicLoader {
    private static final int RTLD_LAZY = 1; // dlfcn.h
    private static final int RTLD_DI_LINKMAP = 2; // dlfcn.h
    private static final long LINK_MAP_NAME = ADDRESS.byteSize(); // link.h: l_addr, then l_name

    // All linked before the first call: looking a symbol up resets what dlerror would say.
    private static final MethodHandle DLOPEN = downcall("dlopen", FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_INT));
    private static final MethodHandle DLINFO =
            downcall("dlinfo", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, ADDRESS));
    private static final MethodHandle DLERROR = downcall("dlerror", FunctionDescriptor.of(ADDRESS));

    private DynamicLoader() {}

    /**
     * Loads a library for this module's class loader; it stays loaded.
     *
     * @param file a path, or a name for the loader to search
     * @return the file
     * @throws IOException with the loader's own words
     */
    static Path load(String file) throws IOException {
        Path found;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = dlopen(arena.allocateFrom(file), RTLD_LAZY);
            if (handle.address() == 0) {
                throw new IOException(string(dlerror()));
            }
            MemorySegment map = arena.allocate(ADDRESS);
            if (dlinfo(handle, RTLD_DI_LINKMAP, map) != 0) {
                throw new IOException(string(dlerror()));
            }
            MemorySegment linkMap = map.get(ADDRESS, 0).reinterpret(2 * LINK_MAP_NAME);
            found = Path.of(string(linkMap.get(ADDRESS, LINK_MAP_NAME)));
        }
        Path real = found.toRealPath();
        try {
            System.load(real.toString());
        } catch (UnsatisfiedLinkError e) {
            throw new IOException(e.getMessage(), e);
        }
        return real;
    }

    private static String string(MemorySegment text) {
        return text.address() == 0
                ? "unknown reason"
                : text.reinterpret(Long.MAX_VALUE).getString(0);
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

    private static int dlinfo(MemorySegment handle, int request, MemorySegment info) {
        try {
            return (int) DLINFO.invokeExact(handle, request, info);
        } catch (Throwable t) {
            throw new AssertionError("dlinfo: wrong descriptor", t);
        }
    }

    private static MemorySegment dlerror() {
        try {
            return (MemorySegment) DLERROR.invokeExact();
        } catch (Throwable t) {
            throw new AssertionError("dlerror: wrong descriptor", t);
        }
    }
}
