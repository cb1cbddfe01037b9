package layerwise.tensor.safetensors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import layerwise.tensor.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged files: each opens and reads, or is refused in one line; nothing else comes out. */
class SafetensorsFuzzTest {
    private static final long SEED = 20_260_101;
    private static final int ROUNDS = 1_500;

    private static final String HEADER = """
            {"__metadata__":{"format":"pt"},\
            "model.layers.0.weight":{"dtype":"BF16","shape":[3,5],"data_offsets":[0,30]},\
            "model.layers.0.scale":{"dtype":"F8_E8M0","shape":[3],"data_offsets":[30,33]},\
            "model.step":{"dtype":"I64","shape":[],"data_offsets":[33,41]}}""";

    private static final List<String> SNIPPETS = List.of(
            "{",
            "}",
            "[",
            "]",
            "\"",
            ",",
            ":",
            "-1",
            "1e9",
            "9223372036854775807",
            "99999999999999999999",
            "null",
            "true",
            "\\u0000",
            "\\ud800",
            "\n",
            "F32",
            "dtype",
            "__metadata__",
            "/*",
            "NaN",
            "\u2028");

    @TempDir
    Path folder;

    @Test
    void damagedFilesGiveTensorsOrOneLine() {
        SplittableRandom random = new SplittableRandom(SEED);
        byte[] sound = SafetensorsBytes.of(HEADER, 41);
        int refused = 0;
        for (int round = 0; round < ROUNDS; round++) {
            byte[] damaged = round % 2 == 0 ? damageBytes(random, sound) : damageHeader(random);
            refused += isRefused(SafetensorsBytes.write(folder.resolve("t.safetensors"), damaged), round) ? 1 : 0;
        }
        assertTrue(refused > ROUNDS / 2, refused + " of " + ROUNDS + " refused: the damage does not bite");
        assertTrue(refused < ROUNDS, "nothing opened: the damage is too coarse to reach the later checks");
    }

    @Test
    void everyTruncationIsRefused() {
        byte[] sound = SafetensorsBytes.of(HEADER, 41);
        for (int length = 0; length < sound.length; length++) {
            Path file = SafetensorsBytes.write(folder.resolve("t.safetensors"), Arrays.copyOf(sound, length));
            assertTrue(isRefused(file, length), "opened when cut to " + length + " bytes");
        }
    }

    @Test
    void damagedIndexesGiveNamesOrOneLine() throws IOException {
        SplittableRandom random = new SplittableRandom(SEED);
        byte[] sound = "{\"metadata\":{\"total_size\":1},\"weight_map\":{\"a\":\"x.safetensors\"}}"
                .getBytes(StandardCharsets.UTF_8);
        for (int round = 0; round < ROUNDS; round++) {
            Files.write(folder.resolve("model.safetensors.index.json"), damageBytes(random, sound));
            try (Arena arena = Arena.ofConfined()) {
                SafetensorsFolder checkpoint = SafetensorsFolder.open(folder, arena);
                checkpoint.names().forEach(checkpoint::tensor);
                fail("tensor from a file that is not there");
            } catch (ConfigException e) {
                assertEquals(1, e.getMessage().lines().count(), e.getMessage());
            } catch (RuntimeException e) {
                fail("seed " + SEED + " round " + round, e);
            }
        }
    }

    private static boolean isRefused(Path file, int round) {
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile opened = SafetensorsFile.open(file, arena);
            for (String name : opened.names()) {
                if (!name.equals("model.step")) {
                    var _ = opened.tensor(name).copyToFloats();
                }
            }
            return false;
        } catch (ConfigException e) {
            assertEquals(1, e.getMessage().lines().count(), e.getMessage());
            return true;
        } catch (RuntimeException e) {
            return fail("seed " + SEED + " round " + round, e);
        }
    }

    /** One to four bytes replaced, inserted or taken away, now and then the end cut off. */
    private static byte[] damageBytes(SplittableRandom random, byte[] sound) {
        byte[] bytes = sound;
        for (int edits = random.nextInt(1, 5); edits > 0 && bytes.length > 0; edits--) {
            int at = random.nextInt(bytes.length);
            byte fresh = random.nextBoolean() ? (byte) random.nextInt(256) : (byte) random.nextInt(' ', 127);
            bytes = switch (random.nextInt(8)) {
                case 0 -> spliced(bytes, at, 1, new byte[] {});
                case 1 -> spliced(bytes, at, 0, new byte[] {fresh});
                case 2 -> Arrays.copyOf(bytes, Math.max(1, at));
                default -> spliced(bytes, at, 1, new byte[] {fresh});
            };
        }
        return bytes;
    }

    /** A snippet of JSON put into the header, whose length stays right, so that the parser is reached. */
    private static byte[] damageHeader(SplittableRandom random) {
        String header = HEADER;
        for (int edits = random.nextInt(1, 4); edits > 0; edits--) {
            int at = random.nextInt(1, header.length());
            int cut = Math.min(random.nextInt(4), header.length() - at);
            header = header.substring(0, at)
                    + SNIPPETS.get(random.nextInt(SNIPPETS.size()))
                    + header.substring(at + cut);
        }
        return SafetensorsBytes.of(header, 41);
    }

    private static byte[] spliced(byte[] bytes, int at, int removed, byte[] inserted) {
        byte[] result = new byte[bytes.length - removed + inserted.length];
        System.arraycopy(bytes, 0, result, 0, at);
        System.arraycopy(inserted, 0, result, at, inserted.length);
        System.arraycopy(bytes, at + removed, result, at + inserted.length, bytes.length - at - removed);
        return result;
    }
}
