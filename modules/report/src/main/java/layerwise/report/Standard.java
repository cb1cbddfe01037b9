package layerwise.report;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** The program's standard output: the result, always UTF-8, whatever the locale. */
final class Standard {
    private Standard() {}

    static void print(String text) {
        PrintStream result = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        result.print(text);
        result.flush();
    }
}
