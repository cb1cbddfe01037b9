package layerwise.model.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import layerwise.op.ScaleFormat;
import layerwise.op.WeightFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QuantizationTest {
    @ParameterizedTest
    @CsvSource({
        "lm_head, lm_head, true",
        "lm_head, lm_head.weight, true",
        "lm_head, lm_head2, false",
        "model.layers.*.self_attn.q_a_proj, model.layers.5.self_attn.q_a_proj, true",
        "model.layers.*.self_attn.q_a_proj, model.layers.5.self_attn.q_b_proj, false",
        "model.layers.*.self_attn.q_a_proj, model.layers.5.self_attn.q_a_proj.x, false",
        "model.layers.61*, model.layers.61.mlp.gate, true",
        "model.layers.61*, model.layers.6.mlp.gate, false",
        "*mlp*proj, model.mlp.up_proj, true",
        "*mlp*proj, model.up_proj, false",
        "a*a, a, false",
        "a*a, aa, true",
        "a*b*ab, aab, false",
        "a*b*ab, abab, true",
        "*, anything, true",
    })
    void starsStandForAnything(String pattern, String module, boolean excluded) {
        Quantization quantization = new Quantization(
                Optional.of(WeightFormat.NVFP4), ScaleFormat.FLOAT32, List.of(pattern), Optional.empty());
        assertEquals(excluded, quantization.format(module).isEmpty());
    }
}
