package layerwise.bench.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ShellScriptsTest {
    static List<Path> scripts() throws IOException {
        return Sandbox.scripts();
    }

    @ParameterizedTest
    @MethodSource("scripts")
    void startsWithItsUsageFailsEarlyAndStaysShort(Path script) throws IOException {
        List<String> lines = Files.readAllLines(script);

        assertEquals("#!/usr/bin/env bash", lines.get(0));
        assertTrue(lines.get(1).startsWith("# Usage: "), lines.get(1));
        assertTrue(lines.contains("set -euo pipefail"), "no set -euo pipefail");
        assertTrue(lines.size() <= 80, lines.size() + " lines: move logic to Java");
        assertTrue(Files.isExecutable(script), "not executable");
    }

    @Test
    void shellcheckFindsNothing() throws IOException, InterruptedException {
        boolean installed = Stream.of(System.getenv("PATH").split(":"))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, "shellcheck")));
        assumeTrue(installed, "shellcheck is not installed");
        List<String> command = new ArrayList<>(List.of("shellcheck"));
        scripts().forEach(script -> command.add(script.toString()));

        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String findings = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertEquals(0, process.waitFor(), findings);
    }
}
