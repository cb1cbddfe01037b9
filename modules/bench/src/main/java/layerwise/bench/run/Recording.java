package layerwise.bench.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import layerwise.bench.ranks.Rank;
import layerwise.tensor.ConfigException;
import layerwise.tensor.NearestNames;

/**
 * Whether and where a run is recorded.
 *
 * @param profiler who records
 * @param folder   where files go
 * @param extras   what is recorded beside the usual
 */
public record Recording(Profiler profiler, Path folder, Set<Extra> extras) {
    /** What costs time or space and is recorded on demand; named as the variables that ask for it. */
    public enum Extra {
        /** The frames that made each launch. */
        BACKTRACE,
        /** Clocks, power, temperature, utilisation and activity of the GPU. */
        GPU_METRICS
    }

    /** Who records. */
    public enum Profiler {
        /** This process itself. */
        BUILTIN,
        /** Nsight Systems, around the process. */
        NSYS,
        /** Nobody. */
        NONE
    }

    public Recording {
        extras = Set.copyOf(extras);
    }

    /** From {@code PROFILE}, {@code PROFILER}, {@code PROFILE_DIR}, {@code BACKTRACE} and {@code GPU_METRICS}. */
    public static Recording of(Map<String, String> environment) {
        Path folder = Path.of(environment.getOrDefault("PROFILE_DIR", "profiles"));
        boolean profile = isOn(environment, "PROFILE", "1");
        Set<Extra> extras = EnumSet.noneOf(Extra.class);
        for (Extra extra : Extra.values()) {
            if (isOn(environment, extra.name(), "0")) {
                extras.add(extra);
            }
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
        return new Recording(profile ? profiler : Profiler.NONE, folder, extras);
    }

    private static boolean isOn(Map<String, String> environment, String name, String otherwise) {
        String value = environment.getOrDefault(name, otherwise);
        return switch (value) {
            case "0" -> false;
            case "1" -> true;
            default -> throw new ConfigException("environment: %s=%s: expected 0 or 1".formatted(name, value));
        };
    }

    /** Makes the folder, before hours of measuring end without a place for the results. */
    public void prepare() {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new ConfigException(
                    "environment: PROFILE_DIR=%s: expected a folder that can be made or written".formatted(folder), e);
        }
    }

    /** The trace of one rank. */
    public Path trace(Rank rank) {
        return folder.resolve("report_np%d_rank%d.sqlite".formatted(rank.world(), rank.rank()));
    }
}
