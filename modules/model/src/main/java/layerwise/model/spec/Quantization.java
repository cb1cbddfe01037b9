package layerwise.model.spec;

import java.util.List;
import java.util.Optional;
import layerwise.op.ScaleFormat;
import layerwise.op.WeightFormat;
import layerwise.tensor.DType;

/**
 * How a checkpoint stores its weight matrices.
 *
 * @param format      of matrices that are quantised, or empty where none is
 * @param activations scales of the activations that products with FP8 blocks round
 * @param excluded    modules that are not quantised: full names, {@code *} standing for anything
 * @param kvCache     element type of the cache that the checkpoint asks for
 */
public record Quantization(
        Optional<WeightFormat> format, ScaleFormat activations, List<String> excluded, Optional<DType> kvCache) {
    public Quantization {
        excluded = List.copyOf(excluded);
    }

    /** Nothing is quantised. */
    public static Quantization none() {
        return new Quantization(Optional.empty(), ScaleFormat.FLOAT32, List.of(), Optional.empty());
    }

    /** The format of a module's matrix, empty where it is stored plainly. */
    public Optional<WeightFormat> format(String module) {
        return format.filter(f -> excluded.stream().noneMatch(pattern -> matches(pattern, module)));
    }

    /** Not by regular expressions: a checkpoint's thousands of modules are held against every pattern. */
    private static boolean matches(String pattern, String module) {
        if (module.startsWith(pattern + ".")) {
            return true;
        }
        String[] parts = pattern.split("\\*", -1);
        String last = parts[parts.length - 1];
        if (parts.length == 1) {
            return module.equals(last);
        }
        int at = parts[0].length();
        boolean fits = module.startsWith(parts[0]);
        for (int i = 1; i < parts.length - 1 && fits; i++) {
            int found = module.indexOf(parts[i], at);
            fits = found >= 0;
            at = found + parts[i].length();
        }
        return fits && module.length() - last.length() >= at && module.endsWith(last);
    }
}
