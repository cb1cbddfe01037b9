package layerwise.bench.forward;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import layerwise.op.Capabilities;
import layerwise.tensor.DType;
import layerwise.tensor.safetensors.SafetensorsFile;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Quantised layers against the same layers with their weights dequantised beforehand. */
class QuantizedLayersTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void dequantisingInsideTheOperatorChangesNothing(boolean nvfp4) {
        QuantizedCheckpoint.write(folder, nvfp4);
        for (String name : List.of("quantized", "plain")) {
            ForwardRunTest.run(
                    new ForwardOptions(
                            folder.resolve(name),
                            List.of(0, 1),
                            List.of("ctx", "gen2"),
                            folder.resolve("io.safetensors"),
                            Optional.of(folder.resolve(name + ".safetensors")),
                            DType.F32,
                            Optional.empty(),
                            1),
                    Capabilities.plain());
        }
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile quantized = SafetensorsFile.open(folder.resolve("quantized.safetensors"), arena);
            SafetensorsFile plain = SafetensorsFile.open(folder.resolve("plain.safetensors"), arena);
            assertFalse(plain.names().isEmpty());
            for (String name : plain.names()) {
                assertArrayEquals(
                        plain.tensor(name).copyToFloats(),
                        quantized.tensor(name).copyToFloats(),
                        name);
            }
        }
    }
}
