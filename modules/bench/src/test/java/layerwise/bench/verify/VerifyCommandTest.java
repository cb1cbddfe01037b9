package layerwise.bench.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import layerwise.bench.config.DeviceChoice;
import layerwise.bench.device.Devices;
import layerwise.tensor.ConfigException;
import org.junit.jupiter.api.Test;

class VerifyCommandTest {
    private static final List<String> SMALL = List.of(
            "quickstart.yaml",
            "--device",
            "reference",
            "--layer-indices",
            "2,3",
            "--batch-size",
            "2",
            "--seq-len-kv-cache",
            "16");

    private static List<String> verify(String... more) {
        List<String> arguments = new ArrayList<>(SMALL);
        arguments.addAll(Arrays.asList(more));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        PrintStream print = new PrintStream(out, true, StandardCharsets.UTF_8);
        VerifyCommand.run(arguments, Map.of(), print, print);
        return out.toString(StandardCharsets.UTF_8).lines().toList();
    }

    private static List<String> rows(List<String> lines, String operator) {
        return lines.stream()
                .filter(line -> line.startsWith("  " + operator + " "))
                .toList();
    }

    /** What lies between the chosen operators comes from the reference: their inputs, and so their rows, are the same. */
    @Test
    void chosenOperatorsHaveTheRowsOfAWholeCheck() {
        List<String> whole = verify();
        List<String> part = verify("--operators", "Route,Comb*");
        assertEquals(rows(whole, "Route"), rows(part, "Route"));
        assertEquals(rows(whole, "Combine"), rows(part, "Combine"));
        assertEquals(List.of(), rows(part, "Linear"));
        String last = part.getLast();
        assertTrue(last.startsWith("# 1 problems, 2 operators of 2 kinds") && last.endsWith(" 0 wrong: OK"), last);
    }

    @Test
    void aGlobThatFitsNothingNamesTheNearestOperator() {
        String message = assertThrows(ConfigException.class, () -> verify("--operators", "Rout"))
                .getMessage();
        assertTrue(message.startsWith("command line: --operators: 'Rout' is no operator of these layers"), message);
        assertTrue(message.endsWith("; nearest: Route"), message);
    }

    @Test
    void withoutAGpuWhatTakesLongIsRefusedAtOnce() {
        assumeTrue(Devices.resolve(new DeviceChoice.Auto()) instanceof DeviceChoice.Reference, "a GPU answers here");
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8);
        List<String> shipped = List.of("config_gen.yaml");
        String message = assertThrows(
                        ConfigException.class, () -> VerifyCommand.run(shipped, Map.of(), nowhere, nowhere))
                .getMessage();
        assertTrue(
                message.matches(
                        "device: no GPU answers here and the reference executor would take about \\d+ minutes; .*"),
                message);
    }
}
