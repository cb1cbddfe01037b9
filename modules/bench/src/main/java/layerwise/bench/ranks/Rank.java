package layerwise.bench.ranks;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import layerwise.op.RankGroup;
import layerwise.tensor.ConfigException;

/**
 * This process among those of a run.
 *
 * @param rank      0 to {@code world − 1}
 * @param world     number of processes
 * @param localRank  this process among those of its machine, so the number of its GPU
 * @param localWorld processes of its machine; all of them where the launcher does not say
 */
public record Rank(int rank, int world, int localRank, int localWorld) {
    /**
     * Names by which launchers tell a process its place.
     *
     * @param world more than one name where a launcher has several, the best first
     */
    private record Names(List<String> world, String rank, String localRank, String localWorld) {
        boolean areIn(Map<String, String> environment) {
            return environment.containsKey(rank) && world.stream().anyMatch(environment::containsKey);
        }
    }

    /** Explicit ones first: {@code run.sh} sets them; then those of Open MPI and of Slurm. */
    private static final List<Names> LAUNCHERS = List.of(
            new Names(List.of("WORLD_SIZE"), "RANK", "LOCAL_RANK", "LOCAL_WORLD_SIZE"),
            new Names(
                    List.of("OMPI_COMM_WORLD_SIZE"),
                    "OMPI_COMM_WORLD_RANK",
                    "OMPI_COMM_WORLD_LOCAL_RANK",
                    "OMPI_COMM_WORLD_LOCAL_SIZE"),
            new Names(
                    List.of("SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"),
                    "SLURM_PROCID",
                    "SLURM_LOCALID",
                    "SLURM_NTASKS_PER_NODE"));

    /**
     * From the variables of whoever started the process; alone without them.
     *
     * @throws ConfigException if they make no sense
     */
    public static Rank of(Map<String, String> environment) {
        Optional<Names> launcher =
                LAUNCHERS.stream().filter(names -> names.areIn(environment)).findFirst();
        if (launcher.isEmpty()) {
            if (environment.containsKey("WORLD_SIZE") && number(environment, "WORLD_SIZE") != 1) {
                throw new ConfigException("environment: WORLD_SIZE=%s without RANK: expected both, or neither"
                        .formatted(environment.get("WORLD_SIZE")));
            }
            return new Rank(0, 1, 0, 1);
        }
        Names names = launcher.get();
        String worldName = names.world().stream()
                .filter(environment::containsKey)
                .findFirst()
                .orElseThrow();
        int world = number(environment, worldName);
        int rank = number(environment, names.rank());
        if (world < 1 || rank < 0 || rank >= world) {
            throw new ConfigException("environment: %s=%d, %s=%d: expected a rank from 0 to %d"
                    .formatted(names.rank(), rank, worldName, world, Math.max(0, world - 1)));
        }
        int local = environment.containsKey(names.localRank()) ? number(environment, names.localRank()) : rank;
        if (local < 0 || local > rank) {
            throw new ConfigException("environment: %s=%d, %s=%d: expected a local rank from 0 to the rank"
                    .formatted(names.localRank(), local, names.rank(), rank));
        }
        int localWorld = LAUNCHERS.stream()
                .map(Names::localWorld)
                .filter(environment::containsKey)
                .findFirst()
                .map(name -> number(environment, name))
                .orElse(world);
        return new Rank(rank, world, local, localWorld);
    }

    private static int number(Map<String, String> environment, String name) {
        String text = environment.get(name);
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new ConfigException("environment: %s=%s: expected an integer".formatted(name, text), e);
        }
    }

    /** The same as operators see it. */
    public RankGroup group() {
        return new RankGroup(rank, world);
    }
}
