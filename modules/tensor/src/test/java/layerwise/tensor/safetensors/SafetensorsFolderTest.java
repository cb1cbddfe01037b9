package layerwise.tensor.safetensors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsFolderTest {
    private static final String INDEX = "model.safetensors.index.json";

    @TempDir
    Path folder;

    private void writeFile(String fileName, String tensor, float value) {
        try (Arena arena = Arena.ofConfined()) {
            SequencedMap<String, HostTensor> tensors = new LinkedHashMap<>();
            tensors.put(tensor, HostTensor.copyOf(arena, DType.F32, Shape.of(1), value));
            SafetensorsWriter.write(folder.resolve(fileName), tensors, new LinkedHashMap<>());
        }
    }

    private void writeIndex(String json) throws IOException {
        Files.writeString(folder.resolve(INDEX), json);
    }

    private String refusal() {
        try (Arena arena = Arena.ofConfined()) {
            return assertThrows(ConfigException.class, () -> SafetensorsFolder.open(folder, arena))
                    .getMessage();
        }
    }

    @Test
    void singleFileServesItsTensors() {
        writeFile("model.safetensors", "a", 1);
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFolder checkpoint = SafetensorsFolder.open(folder, arena);
            assertEquals(List.of("a"), List.copyOf(checkpoint.names()));
            assertEquals(1, checkpoint.tensor("a").get(0));
            assertEquals(folder.resolve("model.safetensors"), checkpoint.file("a"));
        }
    }

    @Test
    void indexLeadsToTheFilesAndAbsentOnesMatterOnlyWhenAskedFor() throws IOException {
        writeFile("one.safetensors", "a", 1);
        writeFile("two.safetensors", "b", 2);
        writeIndex("""
                {"metadata":{"total_size":12},
                 "weight_map":{"a":"one.safetensors","b":"two.safetensors","c":"three.safetensors"}}""");
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFolder checkpoint = SafetensorsFolder.open(folder, arena);
            assertEquals(List.of("a", "b", "c"), List.copyOf(checkpoint.names()));
            assertEquals(1, checkpoint.tensor("a").get(0));
            assertEquals(2, checkpoint.tensor("b").get(0));
            String message = assertThrows(ConfigException.class, () -> checkpoint.tensor("c"))
                    .getMessage();
            assertEquals(
                    folder.resolve("three.safetensors") + ": no such file, expected there the tensor 'c' that " + INDEX
                            + " places in it",
                    message);
        }
    }

    @Test
    void indexThatNamesTheWrongFileIsFoundOut() throws IOException {
        writeFile("one.safetensors", "model.a", 1);
        writeIndex("{\"weight_map\":{\"model.b\":\"one.safetensors\"}}");
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFolder checkpoint = SafetensorsFolder.open(folder, arena);
            String message = assertThrows(ConfigException.class, () -> checkpoint.tensor("model.b"))
                    .getMessage();
            assertTrue(message.endsWith("no tensor 'model.b' among 1; nearest: model.a"), message);
        }
    }

    @Test
    void missingTensorNamesTheNearest() {
        writeFile("model.safetensors", "model.layers.0.mlp.weight", 1);
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFolder checkpoint = SafetensorsFolder.open(folder, arena);
            assertEquals(
                    folder + ": no tensor 'model.layers.1.mlp.weight' among 1; nearest: model.layers.0.mlp.weight",
                    assertThrows(ConfigException.class, () -> checkpoint.tensor("model.layers.1.mlp.weight"))
                            .getMessage());
        }
    }

    @Test
    void filesWithoutAnIndexServeTheirTensors() {
        writeFile("model-00001-of-00002.safetensors", "a", 1);
        writeFile("model-00002-of-00002.safetensors", "b", 2);
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFolder checkpoint = SafetensorsFolder.open(folder, arena);
            assertEquals(List.of("a", "b"), List.copyOf(checkpoint.names()));
            assertEquals(2, checkpoint.tensor("b").get(0));
            assertEquals(folder.resolve("model-00001-of-00002.safetensors"), checkpoint.file("a"));
        }
    }

    @Test
    void tensorInTwoFilesWithoutAnIndexIsRefused() {
        writeFile("one.safetensors", "a", 1);
        writeFile("two.safetensors", "a", 2);
        assertEquals(
                folder + ": tensor 'a' is in one.safetensors and in two.safetensors, expected it in one of them, or "
                        + INDEX,
                refusal());
    }

    @Test
    void linksToFilesAreFollowedAsInTheHubsCache() throws IOException {
        Files.createDirectories(folder.resolve("blobs"));
        writeFile("blobs/4f1c", "a", 1);
        Path snapshot = Files.createDirectories(folder.resolve("snapshots"));
        Files.createSymbolicLink(snapshot.resolve("model.safetensors"), Path.of("../blobs/4f1c"));
        try (Arena arena = Arena.ofConfined()) {
            assertEquals(1, SafetensorsFolder.open(snapshot, arena).tensor("a").get(0));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"nowhere.safetensors", "model.safetensors", "/dev/zero", "."})
    void linksThatLeadToNoFileAreRefused(String target) throws IOException {
        for (String link : List.of("model.safetensors", INDEX)) {
            Files.createSymbolicLink(folder.resolve(link), Path.of(target));
            String message = refusal();
            assertTrue(
                    message.startsWith(folder.resolve(link) + ": a symbolic link to " + target + ", which is "),
                    message);
            Files.delete(folder.resolve(link));
        }
    }

    @Test
    void pipesAreRefusedInsteadOfWaitedFor() throws IOException, InterruptedException {
        for (String pipe : List.of("model.safetensors", INDEX)) {
            Path file = folder.resolve(pipe);
            assertEquals(
                    0, new ProcessBuilder("mkfifo", file.toString()).start().waitFor());
            assertTrue(refusal().startsWith(file + ": not a regular file, expected "));
            Files.delete(file);
        }
    }

    @Test
    void folderWithoutEitherFormIsRefused() {
        assertEquals(
                folder + ": none of them found, expected a checkpoint folder with model.safetensors, " + INDEX
                        + " or other .safetensors files",
                refusal());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "{",
                "{}",
                "{\"weight_map\":1}",
                "{\"weight_map\":{\"a\":1}}",
                "{\"weight_map\":{\"a\":\"x.safetensors\",\"a\":\"y.safetensors\"}}",
                "{\"weight_map\":{\"a\":\"../x.safetensors\"}}",
                "{\"weight_map\":{\"a\":\"pytorch_model.bin\"}}",
                "{\"weight_map\":{\"a\":\"\\ud800.safetensors\"}}"
            })
    void brokenIndexIsRefusedByName(String json) throws IOException {
        writeIndex(json);
        String message = refusal();
        assertTrue(message.startsWith(folder.resolve(INDEX) + ": "), message);
    }
}
