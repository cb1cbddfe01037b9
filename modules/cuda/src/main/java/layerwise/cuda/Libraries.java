package layerwise.cuda;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The process's CUDA libraries: each is looked for once, at first need, and stays loaded.
 *
 * <p>Thread-safe. Nothing here runs before a CUDA device, a tracer or a report of the libraries is asked for, so programs
 * work where there are none.
 */
public final class Libraries {
    /** The outcome of looking for one library. */
    sealed interface Outcome {
        /** It was loaded from {@code file}, which {@code origin} suggested. */
        record Loaded(Path file, String origin) implements Outcome {}

        /** It was not; the loader's words, one sentence for each candidate. */
        record Absent(String reason) implements Outcome {}
    }

    /** Loads one candidate; the process's is {@link DynamicLoader#load}. */
    @FunctionalInterface
    interface Opener {
        Path open(String file) throws IOException;
    }

    private static final Libraries PROCESS = new Libraries(LibrarySearch.ofProcess(), DynamicLoader::load);

    private final LibrarySearch search;
    private final Opener opener;
    private final Map<CudaLibrary, Outcome> outcomes = new EnumMap<>(CudaLibrary.class);

    Libraries(LibrarySearch search, Opener opener) {
        this.search = search;
        this.opener = opener;
    }

    static Libraries ofProcess() {
        return PROCESS;
    }

    /** Whether a library can be had. */
    public static boolean has(CudaLibrary library) {
        return PROCESS.outcome(library) instanceof Outcome.Loaded;
    }

    /**
     * Makes sure that a library is loaded.
     *
     * @throws DeviceUnavailableException if it cannot be had
     */
    public static void require(CudaLibrary library) {
        PROCESS.demand(library);
    }

    void demand(CudaLibrary library) {
        if (outcome(library) instanceof Outcome.Absent(String reason)) {
            throw new DeviceUnavailableException("%s (%s) cannot be loaded, so %s: %s; looked in %s"
                    .formatted(library.title(), library.soname(), library.absence(), reason, search.places()));
        }
    }

    synchronized Outcome outcome(CudaLibrary library) {
        return outcomes.computeIfAbsent(library, this::load);
    }

    private Outcome load(CudaLibrary library) {
        List<String> reasons = new ArrayList<>();
        for (LibrarySearch.Candidate candidate : search.candidates(library.soname())) {
            try {
                return new Outcome.Loaded(opener.open(candidate.file()), candidate.origin());
            } catch (IOException e) {
                reasons.add(e.getMessage());
            }
        }
        return new Outcome.Absent(String.join("; ", reasons));
    }
}
