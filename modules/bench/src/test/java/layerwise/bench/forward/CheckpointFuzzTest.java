package layerwise.bench.forward;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import layerwise.bench.fixture.Fixtures;
import layerwise.model.layer.SliceTensors;
import layerwise.model.spec.ModelReader;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightSource;
import layerwise.model.weights.WeightTable;
import layerwise.op.Capabilities;
import layerwise.op.Executor;
import layerwise.op.Journal;
import layerwise.op.Memory;
import layerwise.reference.ReferenceExecutor;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;
import layerwise.tensor.Shape;
import layerwise.tensor.safetensors.SafetensorsFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A sound checkpoint with a damaged header: it loads, or is refused in one line; nothing else comes out. */
class CheckpointFuzzTest {
    private static final long SEED = 20_261_124;
    private static final int ROUNDS = 400;

    private static final List<String> NUMBERS = List.of(
            "0",
            "1",
            "-1",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551616",
            "4294967296",
            "1e18",
            "null");

    @TempDir
    Path folder;

    @Test
    void damagedHeadersAreReadOrRefusedInOneLine() throws IOException {
        Path fixture = Fixtures.folder("deepseek_v3_a");
        Files.copy(fixture.resolve("config.json"), folder.resolve("config.json"));
        ModelSpec model = ModelReader.fromFolder("copy", folder);
        byte[] sound = Files.readAllBytes(fixture.resolve("model.safetensors"));
        int length = (int) ByteBuffer.wrap(sound).order(ByteOrder.LITTLE_ENDIAN).getLong();
        String header = new String(sound, 8, length, StandardCharsets.UTF_8);
        SplittableRandom random = new SplittableRandom(SEED);
        int refused = 0;
        try (Executor executor = new ReferenceExecutor(Journal.NONE, Capabilities.plain())) {
            for (int round = 0; round < ROUNDS; round++) {
                String damaged = damage(random, header);
                ByteBuffer file = ByteBuffer.allocate(8 + damaged.length() + sound.length - 8 - length)
                        .order(ByteOrder.LITTLE_ENDIAN);
                file.putLong(damaged.length()).put(damaged.getBytes(StandardCharsets.ISO_8859_1));
                file.put(sound, 8 + length, sound.length - 8 - length);
                Files.write(folder.resolve("model.safetensors"), file.array());
                refused += isRefused(executor, model, round) ? 1 : 0;
            }
        }
        assertTrue(refused > ROUNDS / 2, refused + " of " + ROUNDS + " refused: the damage does not bite");
        assertTrue(refused < ROUNDS, "nothing loaded: the damage is too coarse to reach the later checks");
    }

    private boolean isRefused(Executor executor, ModelSpec model, int round) {
        try (Arena arena = Arena.ofShared();
                Memory memory = executor.allocate()) {
            SafetensorsFolder checkpoint = SafetensorsFolder.open(folder, arena);
            SliceTensors.check(model, List.of(0, 1), checkpoint);
            WeightTable weights = new WeightTable(model, new WeightSource.Checkpoint(checkpoint));
            weights.matrix("o", 128, new WeightTable.Part("model.layers.0.self_attn.o_proj", 128));
            weights.place(memory);
            assertEquals(
                    Shape.of(128, 128),
                    checkpoint.tensor("model.layers.0.self_attn.o_proj.weight").shape());
            assertEquals(
                    DType.F32,
                    checkpoint
                            .tensor("model.layers.1.mlp.gate.e_score_correction_bias")
                            .dtype());
            return false;
        } catch (ConfigException e) {
            assertEquals(1, e.getMessage().lines().count(), e.getMessage());
            return true;
        } catch (RuntimeException e) {
            return fail("seed " + SEED + " round " + round, e);
        }
    }

    /** A number replaced by a hostile one, a name or type changed, or a character here and there. */
    private static String damage(SplittableRandom random, String header) {
        int at = random.nextInt(1, header.length());
        return switch (random.nextInt(4)) {
            case 0 -> {
                int end = at;
                while (end < header.length() && Character.isDigit(header.charAt(end))) {
                    end++;
                }
                yield header.substring(0, at) + NUMBERS.get(random.nextInt(NUMBERS.size())) + header.substring(end);
            }
            case 1 ->
                header.replaceFirst(
                        "\"BF16\"", List.of("\"F16\"", "\"F32\"", "\"I8\"").get(random.nextInt(3)));
            case 2 -> header.substring(0, at) + (char) random.nextInt(' ', 127) + header.substring(at + 1);
            default -> header.replaceFirst("layers\\.1\\.", "layers." + random.nextInt(4) + ".");
        };
    }
}
