package layerwise.bench.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import layerwise.bench.ranks.Rank;
import layerwise.tensor.ConfigException;
import layerwise.tensor.NearestNames;

/**
 * Whether and where a run is recorded.
 *
 * @param profiler who records
 * @param folder   where files go
 */
record Recording(Profiler profiler, Path folder) {
    /** Who records. */
    enum Profiler {
        /** This process itself. */
        BUILTIN,
        /** Nsight Systems, around the process. */
        NSYS,
        /** Nobody. */
        NONE
    }

    /** From {@code PROFILE}, {@code PROFILER} and {@code PROFILE_DIR}. */
    static Recording of(Map<String, String> environment) {
        Path folder = Path.of(environment.getOrDefault("PROFILE_DIR", "profiles"));
        String profile = environment.getOrDefault("PROFILE", "1");
        if (!profile.equals("0") && !profile.equals("1")) {
            throw new ConfigException("environment: PROFILE=%s: expected 0 or 1".formatted(profile));
        }
        String name = environment.getOrDefault("PROFILER", "auto");
        Profiler profiler = switch (name) {
            case "auto", "builtin" -> Profiler.BUILTIN;
            case "nsys" -> Profiler.NSYS;
            case "none" -> Profiler.NONE;
            default -> {
                List<String> known = List.of("auto", "nsys", "builtin", "none");
                throw new ConfigException("environment: PROFILER=%s: expected one of %s%s"
                        .formatted(name, String.join(", ", known), NearestNames.hint(name, known)));
            }
        };
        if (profile.equals("0")) {
            return new Recording(Profiler.NONE, folder);
        }
        for (String extra : List.of("BACKTRACE", "GPU_METRICS")) {
            if (profiler == Profiler.BUILTIN
                    && environment.getOrDefault(extra, "0").equals("1")) {
                throw new ConfigException(
                        "environment: %s=1: the builtin tracer does not record that; expected 0, or nsys"
                                .formatted(extra));
            }
        }
        return new Recording(profiler, folder);
    }

    /** Makes the folder, before hours of measuring end without a place for the results. */
    void prepare() {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new ConfigException(
                    "environment: PROFILE_DIR=%s: expected a folder that can be made or written".formatted(folder), e);
        }
    }

    /** The trace of one rank. */
    Path trace(Rank rank) {
        return folder.resolve("report_np%d_rank%d.sqlite".formatted(rank.world(), rank.rank()));
    }
}
