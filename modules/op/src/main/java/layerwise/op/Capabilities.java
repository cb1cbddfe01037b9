package layerwise.op;

import java.util.EnumSet;
import java.util.Set;

/**
 * What an executor wants of a program.
 *
 * @param fusions rules that {@link layerwise.op.fusion.Fusion} applies for it
 */
public record Capabilities(Set<FusionRule> fusions) {
    public Capabilities {
        fusions = Set.copyOf(fusions);
    }

    /** Every fused operator. */
    public static Capabilities all() {
        return new Capabilities(EnumSet.allOf(FusionRule.class));
    }

    /** Plain operators only. */
    public static Capabilities plain() {
        return new Capabilities(Set.of());
    }
}
