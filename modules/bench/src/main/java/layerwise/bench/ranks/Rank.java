package layerwise.bench.run;

import java.util.Map;
import layerwise.tensor.ConfigException;

/**
 * This process among those of a run.
 *
 * @param rank  0 to {@code world − 1}
 * @param world number of processes
 */
record Rank(int rank, int world) {
    /** From {@code RANK} and {@code WORLD_SIZE}, which the launchers set; alone without them. */
    static Rank of(Map<String, String> environment) {
        int world = number(environment, "WORLD_SIZE", 1);
        int rank = number(environment, "RANK", 0);
        if (world < 1 || rank < 0 || rank >= world) {
            throw new ConfigException("environment: RANK=%d, WORLD_SIZE=%d: expected a rank from 0 to %d"
                    .formatted(rank, world, world - 1));
        }
        if (world > 1) {
            throw new ConfigException(
                    "environment: WORLD_SIZE=%d: this build runs one rank; expected WORLD_SIZE=1".formatted(world));
        }
        return new Rank(rank, world);
    }

    private static int number(Map<String, String> environment, String name, int otherwise) {
        String text = environment.get(name);
        if (text == null) {
            return otherwise;
        }
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new ConfigException("environment: %s=%s: expected an integer".formatted(name, text), e);
        }
    }
}
