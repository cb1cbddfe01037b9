package layerwise.model.parallel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import layerwise.model.spec.MlaSpec;
import layerwise.model.spec.ModelCatalog;
import layerwise.model.spec.ModelSpec;
import layerwise.model.spec.MoeSpec;
import layerwise.op.RankGroup;
import layerwise.tensor.ConfigException;
import org.junit.jupiter.api.Test;

class WeakScalingTest {
    private static final ModelSpec R1 = new ModelCatalog(
                    Path.of(System.getProperty("layerwise.home"), "configs", "models"))
            .find("deepseek-ai/DeepSeek-R1-0528");

    private static ModelSpec scaled(int from, int ranks, boolean attentionDp) {
        return new WeakScaling(from, new Mapping(new RankGroup(0, ranks), attentionDp)).of(R1);
    }

    @Test
    void sixteenDataParallelGpusOnFourKeepSixteenExpertsARankAndAllHeads() {
        ModelSpec model = scaled(16, 4, true);
        MoeSpec moe = (MoeSpec) model.layer(5).feedForward().orElseThrow();
        assertEquals(64, moe.experts());
        assertEquals(8, moe.topK());
        assertEquals(128, ((MlaSpec) model.layer(5).mixer().orElseThrow()).heads());
        assertEquals(R1.layer(0), model.layer(0), "a dense layer stays");
    }

    @Test
    void sixteenTensorParallelGpusOnFourKeepEightHeadsARankToo() {
        ModelSpec model = scaled(16, 4, false);
        assertEquals(64, ((MoeSpec) model.layer(5).feedForward().orElseThrow()).experts());
        assertEquals(32, ((MlaSpec) model.layer(5).mixer().orElseThrow()).heads());
        assertEquals(R1.hidden(), model.hidden());
    }

    @Test
    void sharesAreRoundedDown() {
        assertEquals(
                256 / 24 * 4,
                ((MoeSpec) scaled(24, 4, true).layer(5).feedForward().orElseThrow()).experts());
    }

    @Test
    void nothingLeftIsRefused() {
        ConfigException e = assertThrows(ConfigException.class, () -> scaled(512, 4, true));
        assertTrue(e.getMessage().startsWith("scaled_from 512: 256 experts are fewer than that"), e.getMessage());
        assertThrows(ConfigException.class, () -> scaled(0, 4, true));
        ConfigException few = assertThrows(ConfigException.class, () -> scaled(64, 1, true));
        assertTrue(
                few.getMessage().startsWith("scaled_from 64: 1 ranks keep 4 of 256 experts, too few: "),
                few.getMessage());
    }

    @Test
    void theIndexerIsNotDividedForWeakScaling() {
        ModelSpec sparse = new ModelCatalog(Path.of(System.getProperty("layerwise.home"), "configs", "models"))
                .find("deepseek-ai/DeepSeek-V3.2-Exp");
        Mapping tensorParallel = new Mapping(new RankGroup(0, 4), false);
        ConfigException e = assertThrows(ConfigException.class, () -> new WeakScaling(16, tensorParallel).of(sparse));
        assertEquals(
                "scaled_from 16: the indexer's heads are not divided over ranks; expected enable_attention_dp",
                e.getMessage());
        ModelSpec scaled = new WeakScaling(16, new Mapping(new RankGroup(0, 4), true)).of(sparse);
        assertEquals(sparse.layer(5).mixer(), scaled.layer(5).mixer());
    }
}
