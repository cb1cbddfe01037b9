package layerwise.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Where to look for a library, in order: the folder that {@code LAYERWISE_CUDA_HOME} or {@code CUDA_HOME} names, the
 * loader's own path, {@code /usr/local/cuda}, and the {@code nvidia} packages of the Python environment whose
 * {@code site-packages} folder {@code LAYERWISE_PYTHON_SITE} names.
 *
 * @param environment variables of the process
 * @param defaultHome the toolkit's usual place
 */
record LibrarySearch(Map<String, String> environment, Path defaultHome) {
    /** What the loader is asked for, and who suggested it. */
    record Candidate(String origin, String file) {}

    static LibrarySearch ofProcess() {
        return new LibrarySearch(System.getenv(), Path.of("/usr/local/cuda"));
    }

    /** Files that exist under the named folders, and the bare name where the loader itself is to search. */
    List<Candidate> candidates(String soname) {
        List<Candidate> found = new ArrayList<>();
        for (String variable : List.of("LAYERWISE_CUDA_HOME", "CUDA_HOME")) {
            String home = environment.getOrDefault(variable, "");
            if (!home.isEmpty()) {
                addToolkit(found, variable, Path.of(home), soname);
            }
        }
        found.add(new Candidate("loader", soname));
        addToolkit(found, defaultHome.toString(), defaultHome, soname);
        String site = environment.getOrDefault("LAYERWISE_PYTHON_SITE", "");
        if (!site.isEmpty()) {
            addPackages(found, Path.of(site, "nvidia"), soname);
        }
        return found;
    }

    /** One line for a person whose library was not found. */
    String places() {
        List<String> places = new ArrayList<>();
        for (String variable : List.of("LAYERWISE_CUDA_HOME", "CUDA_HOME", "LAYERWISE_PYTHON_SITE")) {
            String value = environment.getOrDefault(variable, "");
            places.add(variable + (value.isEmpty() ? " (not set)" : "=" + value));
        }
        places.add(2, "the loader's path");
        places.add(3, defaultHome.toString());
        return String.join(", ", places);
    }

    private static void addToolkit(List<Candidate> found, String origin, Path home, String soname) {
        for (String folder : List.of("lib64", "lib", "extras/CUPTI/lib64")) {
            addFile(found, origin, home.resolve(folder), soname);
        }
    }

    private static void addPackages(List<Candidate> found, Path packages, String soname) {
        if (!Files.isDirectory(packages)) {
            return;
        }
        try (Stream<Path> folders = Files.list(packages)) {
            for (Path folder : folders.sorted().toList()) {
                addFile(found, "LAYERWISE_PYTHON_SITE", folder.resolve("lib"), soname);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(packages.toString(), e);
        }
    }

    private static void addFile(List<Candidate> found, String origin, Path folder, String soname) {
        Path file = folder.resolve(soname);
        if (Files.exists(file)) {
            found.add(new Candidate(origin, file.toString()));
        }
    }
}
