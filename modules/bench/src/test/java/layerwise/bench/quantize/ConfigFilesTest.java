package layerwise.bench.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.Optional;
import layerwise.model.spec.ModelCatalog;
import org.junit.jupiter.api.Test;

class ConfigFilesTest {
    private static final ModelCatalog SHIPPED =
            new ModelCatalog(Path.of(System.getProperty("layerwise.home"), "configs", "models"));

    @Test
    void newFp8CheckpointsKeepTheScaleFormatOfTheirModel() {
        assertEquals("ue8m0", scaleFormat("deepseek-ai/DeepSeek-V3.2-Exp"));
        assertEquals("", scaleFormat("deepseek-ai/DeepSeek-R1-0528"));
    }

    private static String scaleFormat(String model) {
        return ConfigFiles.read(model, SHIPPED)
                .as(Format.FP8, Optional.empty())
                .config()
                .at("/quantization_config/scale_fmt")
                .asText();
    }
}
