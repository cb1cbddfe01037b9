package layerwise.bench.config;

/** Makes text from outside fit into a one-line message. */
final class OneLine {
    private static final int LONGEST = 200;

    private OneLine() {}

    /** The text with runs of white space and control characters as one space, cut at 200 characters. */
    static String of(String text) {
        String line = text.replaceAll("[\\p{javaWhitespace}\\p{Cntrl}\\p{Zl}\\p{Zp}]+", " ")
                .strip();
        return line.length() <= LONGEST ? line : line.substring(0, LONGEST) + "…";
    }

    /** The same in double quotes. */
    static String quote(String text) {
        return '"' + of(text) + '"';
    }
}
