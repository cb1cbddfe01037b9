package layerwise.bench.launch;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * One launch line of the user guide and what must become of it.
 *
 * @param shell the line as the guide has it
 * @param argv what the launcher starts
 * @param differences {@code key json} pairs: the arguments that differ from those of the file alone
 */
public record LaunchLine(String shell, List<String> argv, List<String> differences) {
    public static List<LaunchLine> all() {
        List<LaunchLine> lines = new ArrayList<>();
        for (String stanza : text().split("\n\n")) {
            if (stanza.startsWith("$ ")) {
                lines.add(of(stanza.strip().split("\n")));
            }
        }
        return List.copyOf(lines);
    }

    private static LaunchLine of(String[] stanza) {
        List<String> differences = new ArrayList<>();
        for (int i = 2; i < stanza.length; i++) {
            differences.add(stanza[i].substring("= ".length()));
        }
        return new LaunchLine(
                stanza[0].substring("$ ".length()),
                List.of(stanza[1].substring("> ".length()).split(" ")),
                differences);
    }

    private static String text() {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(
                LaunchLine.class.getResourceAsStream("launch-lines.txt"), StandardCharsets.UTF_8))) {
            return reader.readAllAsString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return shell;
    }
}
