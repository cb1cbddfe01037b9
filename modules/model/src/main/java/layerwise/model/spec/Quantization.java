package layerwise.model.spec;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
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

    private static boolean matches(String pattern, String module) {
        String regex = Pattern.compile("*", Pattern.LITERAL)
                .splitAsStream(pattern + "\0")
                .map(part -> Pattern.quote(part.replace("\0", "")))
                .collect(Collectors.joining(".*"));
        return module.matches(regex) || module.startsWith(pattern + ".");
    }
}
