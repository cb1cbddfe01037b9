package layerwise.bench.config;

import static java.util.stream.Collectors.joining;

import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** Values as Python writes them, as literals and through its {@code json} module. */
final class PythonText {
    private PythonText() {}

    /** {@code name(key=literal, …)}. */
    static String call(String name, Map<String, ?> arguments) {
        return arguments.entrySet().stream()
                .map(argument -> argument.getKey() + "=" + literal(argument.getValue()))
                .collect(joining(", ", name + "(", ")"));
    }

    private static String literal(Object value) {
        return switch (value) {
            case null -> "None";
            case Boolean flag -> flag ? "True" : "False";
            case Integer number -> number.toString();
            case Double number -> PythonFormat.repr(number);
            case String text -> quoted(text);
            case List<?> list -> list.stream().map(PythonText::literal).collect(joining(", ", "[", "]"));
            default -> throw new IllegalArgumentException("no literal: " + value);
        };
    }

    /** Single quotes, unless the text has some and no double ones. */
    private static String quoted(String text) {
        char quote = text.contains("'") && !text.contains("\"") ? '"' : '\'';
        return text.chars().mapToObj(c -> escaped((char) c, quote)).collect(joining("", "" + quote, "" + quote));
    }

    private static String escaped(char c, char quote) {
        return switch (c) {
            case '\\' -> "\\\\";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            default -> {
                if (c == quote) {
                    yield "\\" + c;
                }
                yield c < ' ' || c == 0x7f ? "\\x" + HexFormat.of().toHexDigits((byte) c) : String.valueOf(c);
            }
        };
    }

    /** JSON with the separators {@code ", "} and {@code ": "}, everything but ASCII escaped. */
    static String json(Object value) {
        return switch (value) {
            case null -> "null";
            case Boolean flag -> flag.toString();
            case Integer number -> number.toString();
            case Double number -> PythonFormat.repr(number);
            case String text -> ascii(text);
            case List<?> list -> list.stream().map(PythonText::json).collect(joining(", ", "[", "]"));
            case Map<?, ?> map ->
                map.entrySet().stream()
                        .map(entry -> ascii(entry.getKey().toString()) + ": " + json(entry.getValue()))
                        .collect(joining(", ", "{", "}"));
            default -> throw new IllegalArgumentException("no JSON: " + value);
        };
    }

    private static String ascii(String text) {
        return text.chars().mapToObj(c -> escaped((char) c)).collect(joining("", "\"", "\""));
    }

    private static String escaped(char c) {
        return switch (c) {
            case '\b' -> "\\b";
            case '\f' -> "\\f";
            case '\n', '\r', '\t', '\\', '"' -> escaped(c, '"');
            default -> c < ' ' || c > '~' ? "\\u" + HexFormat.of().toHexDigits(c) : String.valueOf(c);
        };
    }
}
