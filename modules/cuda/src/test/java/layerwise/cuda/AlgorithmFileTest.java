package layerwise.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AlgorithmFileTest {
    private static final MatmulProblem SMALL = MatmulProblem.linear(1, 7168, 1536, DType.BF16, DType.BF16);
    private static final MatmulProblem LARGE = MatmulProblem.linear(8193, 7168, 1536, DType.BF16, DType.F32);
    private static final MatmulAlgorithm FIRST = MatmulAlgorithm.parse("0a".repeat(64) + ":33554432");
    private static final MatmulAlgorithm SECOND = MatmulAlgorithm.parse("0b".repeat(64) + ":0");

    @TempDir
    Path folder;

    private Path path() {
        return folder.resolve("autotuner_cache/cache");
    }

    @Test
    void whatWasPutIsFoundByTheNextRunOfTheSameKey() throws IOException {
        AlgorithmFile file = AlgorithmFile.open(path(), "H100");
        assertEquals(Optional.empty(), file.find(SMALL));
        file.put(SMALL, FIRST);
        file.put(LARGE, SECOND);
        file.write();
        AlgorithmFile next = AlgorithmFile.open(path(), "H100");
        assertEquals(Optional.of(FIRST), next.find(SMALL));
        assertEquals(Optional.of(SECOND), next.find(LARGE));
        assertEquals(Optional.empty(), AlgorithmFile.open(path(), "H200").find(SMALL));
        try (Stream<Path> files = Files.list(path().getParent())) {
            assertEquals(List.of(path()), files.toList(), "unfinished files are left");
        }
    }

    @Test
    void keepsWhatOtherKeysAndOtherProcessesWrote() {
        AlgorithmFile here = AlgorithmFile.open(path(), "H100");
        AlgorithmFile elsewhere = AlgorithmFile.open(path(), "H200");
        AlgorithmFile beside = AlgorithmFile.open(path(), "H100");
        here.put(SMALL, FIRST);
        elsewhere.put(SMALL, SECOND);
        beside.put(LARGE, SECOND);
        here.write();
        elsewhere.write();
        beside.write();
        AlgorithmFile next = AlgorithmFile.open(path(), "H100");
        assertEquals(Optional.of(FIRST), next.find(SMALL));
        assertEquals(Optional.of(SECOND), next.find(LARGE));
        assertEquals(Optional.of(SECOND), AlgorithmFile.open(path(), "H200").find(SMALL));
    }

    @Test
    void writesNothingWhereNothingIsNew() throws IOException {
        AlgorithmFile file = AlgorithmFile.open(path(), "H100");
        file.write();
        assertFalse(Files.exists(path()));
        file.put(SMALL, FIRST);
        file.write();
        Files.delete(path());
        AlgorithmFile same = AlgorithmFile.open(path(), "H100");
        same.write();
        file.put(SMALL, FIRST);
        file.write();
        assertFalse(Files.exists(path()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "[]",
                "{\"metadata\": {}, \"rank_0\": {}}",
                "{\"schema\": \"layerwise.algorithms/2\"}",
                "{\"schema\": \"layerwise.algorithms/1\", \"algorithms\": {\"H100\": {\"1x1x1\": \"0g\"}}}",
                "{\"schema\": \"layerwise.algorithms/1\", \"algorithms\": {\"H100\": {\"1x1x1\": 3}}}"
            })
    void aDamagedOrForeignFileIsOneLineAndStays(String text) throws IOException {
        Files.createDirectories(path().getParent());
        Files.writeString(path(), text);
        var failure = assertThrows(ConfigException.class, () -> AlgorithmFile.open(path(), "H100"));
        assertTrue(failure.getMessage().startsWith(path() + " is "), failure.getMessage());
        assertFalse(failure.getMessage().contains("\n"), failure.getMessage());
        assertEquals(text, Files.readString(path()));
    }

    @Test
    void aFolderThatCannotBeMadeIsOneLine() throws IOException {
        Files.writeString(folder.resolve("autotuner_cache"), "a file");
        var failure = assertThrows(ConfigException.class, () -> AlgorithmFile.open(path(), "H100"));
        assertFalse(failure.getMessage().contains("\n"), failure.getMessage());
    }
}
