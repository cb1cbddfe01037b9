package layerwise.bench.verify;

import java.util.List;
import java.util.function.Predicate;
import layerwise.bench.config.MoeBackend;
import layerwise.bench.verify.MoeCase.RouterKind;
import layerwise.bench.verify.MoeCase.Width;
import layerwise.op.WeightFormat;

/** Mixtures of experts that hold every pair of choices that can be together. */
final class MoeMatrix {
    private static final WeightFormat[] FORMATS = {WeightFormat.BF16, WeightFormat.FP8_BLOCK, WeightFormat.NVFP4};
    private static final int[] EXPERTS = {8, 64, 256, 512};
    private static final int[] TOP_K = {1, 6, 8, 10};
    private static final int[] RANKS = {1, 4};

    private MoeMatrix() {}

    /** Cases of all formats, in one list of pairs. */
    static List<MoeCase> of(List<Integer> tokens, List<Width> widths, Predicate<MoeCase> allowed) {
        MoeBackend[] backends = MoeBackend.values();
        TokenRouting[] routings = TokenRouting.values();
        RouterKind[] routers = RouterKind.values();
        int[] choices = {
            backends.length,
            FORMATS.length,
            tokens.size(),
            EXPERTS.length,
            TOP_K.length,
            routings.length,
            routers.length,
            widths.size(),
            RANKS.length
        };
        return Pairwise.of(choices, c -> {
                    MoeCase one = chosen(c, backends, tokens, routings, routers, widths);
                    return one.exists() && allowed.test(one);
                })
                .stream()
                .map(c -> chosen(c, backends, tokens, routings, routers, widths))
                .toList();
    }

    private static MoeCase chosen(
            int[] c,
            MoeBackend[] backends,
            List<Integer> tokens,
            TokenRouting[] routings,
            RouterKind[] routers,
            List<Width> widths) {
        return new MoeCase(
                backends[c[0]],
                FORMATS[c[1]],
                tokens.get(c[2]),
                EXPERTS[c[3]],
                TOP_K[c[4]],
                routings[c[5]],
                routers[c[6]],
                widths.get(c[7]),
                RANKS[c[8]]);
    }
}
