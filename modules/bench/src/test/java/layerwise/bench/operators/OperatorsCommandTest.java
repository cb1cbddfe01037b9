package layerwise.bench.operators;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import layerwise.bench.config.DeviceChoice;
import layerwise.bench.device.Devices;
import layerwise.tensor.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OperatorsCommandTest {
    private static final List<String> SMALL =
            List.of("quickstart.yaml", "--device", "reference", "--batch-size", "2", "--seq-len-kv-cache", "16");

    @TempDir
    Path folder;

    private String operators(String... more) {
        List<String> arguments = new ArrayList<>(SMALL);
        arguments.addAll(Arrays.asList(more));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        PrintStream print = new PrintStream(out, true, StandardCharsets.UTF_8);
        OperatorsCommand.run(arguments, Map.of("PROFILE_DIR", folder.toString()), print, print);
        return out.toString(StandardCharsets.UTF_8);
    }

    private List<String[]> csv() throws IOException {
        return Files.readAllLines(folder.resolve("operators_np1_rank0.csv")).stream()
                .map(line -> line.split(",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", -1))
                .toList();
    }

    @Test
    void everyOperatorOfTheQuickstartGetsARowInTableCsvAndJson() throws IOException {
        String text = operators();
        List<String[]> rows = csv();
        List<String> columns = List.of(rows.getFirst());
        List<String[]> values = rows.subList(1, rows.size());
        JsonNode json = new ObjectMapper()
                .readTree(folder.resolve("operators_np1_rank0.json").toFile());
        assertEquals("reference", json.path("device").asText());
        assertEquals(1, json.path("schema_version").asInt());
        assertEquals("tiny-deepseek", json.path("args").path("model").textValue());
        assertEquals(values.size(), json.path("operators").size());
        assertTrue(text.contains("# %d operators: ".formatted(values.size())), text);
        assertEquals(
                values.size(),
                text.lines().filter(line -> line.startsWith("  ")).count(),
                text);
        List<String> names =
                values.stream().map(row -> row[columns.indexOf("operator")]).toList();
        assertTrue(
                names.containsAll(List.of("Linear", "MlaDecodeAttention", "GroupedLinear", "Route")), names.toString());
        for (int i = 0; i < values.size(); i++) {
            String[] row = values.get(i);
            assertEquals(columns.size(), row.length, String.join(",", row));
            assertEquals("1", row[columns.indexOf("copies")]);
            assertEquals("unknown", row[columns.indexOf("cache")]);
            double median = Double.parseDouble(row[columns.indexOf("median_us")]);
            assertTrue(Double.parseDouble(row[columns.indexOf("min_us")]) <= median && median > 0);
            JsonNode node = json.path("operators").path(i);
            assertEquals(row[columns.indexOf("operator")], node.path("operator").asText());
            assertEquals(node.path("micros").size(), Integer.parseInt(row[columns.indexOf("replays")]));
            assertTrue(node.path("micros").size() >= OperatorTimer.LEAST_REPLAYS);
            assertFalse(node.path("sizes").isEmpty());
            assertEquals(row[columns.indexOf("shape")], node.path("shape").textValue());
            assertEquals(
                    row[columns.indexOf("operator")].equals("MlaDecodeAttention"),
                    node.path("sizes").has("qk_dim"));
        }
    }

    @Test
    void globsChooseOverSeveralProblemsAndNewFilesReplaceOldOnes() throws IOException {
        Files.writeString(folder.resolve("operators_np1_rank0.csv"), "of an earlier run");
        operators("--operators", "*Linear,Mla*Attention", "--seq-len-kv-cache", "16,40");
        List<String[]> rows = csv();
        List<String> columns = List.of(rows.getFirst());
        List<String> pasts = rows.stream()
                .filter(row -> row[columns.indexOf("operator")].equals("MlaDecodeAttention"))
                .map(row -> row[columns.indexOf("seq_len_kv_cache")])
                .toList();
        assertEquals(List.of("16", "40"), pasts);
        assertTrue(rows.stream()
                .skip(1)
                .map(row -> row[columns.indexOf("operator")])
                .allMatch(name -> name.endsWith("Linear") || name.equals("MlaDecodeAttention")));
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(
                    List.of("operators_np1_rank0.csv", "operators_np1_rank0.json"),
                    files.map(file -> file.getFileName().toString()).sorted().toList());
        }
    }

    @Test
    void aGlobThatFitsNothingNamesTheNearestOperator() {
        ConfigException refused =
                assertThrows(ConfigException.class, () -> operators("--operators", "Linear,GropedLinear"));
        String message = refused.getMessage();
        assertTrue(
                message.startsWith("command line: --operators: 'GropedLinear' is no operator of these layers"),
                message);
        assertTrue(message.contains("; nearest: GroupedLinear"), message);
        assertFalse(Files.exists(folder.resolve("operators_np1_rank0.csv")));
    }

    @Test
    void sharedGpusAndMisspeltOptionsAreRefused() {
        String shared = assertThrows(ConfigException.class, () -> operators("--share-gpu"))
                .getMessage();
        assertTrue(shared.contains("share_gpu"), shared);
        String misspelt = assertThrows(ConfigException.class, () -> operators("--operator-s", "Add"))
                .getMessage();
        assertTrue(misspelt.contains("nearest: --operators"), misspelt);
    }

    @Test
    void withoutAGpuWhatTakesLongIsRefusedAtOnce() {
        assumeTrue(Devices.resolve(new DeviceChoice.Auto()) instanceof DeviceChoice.Reference, "a GPU answers here");
        String message = assertThrows(
                        ConfigException.class,
                        () -> OperatorsCommand.run(
                                List.of("config_gen.yaml"),
                                Map.of("PROFILE_DIR", folder.toString()),
                                System.out,
                                System.out))
                .getMessage();
        assertTrue(message.startsWith("device: no GPU answers here"), message);
    }
}
