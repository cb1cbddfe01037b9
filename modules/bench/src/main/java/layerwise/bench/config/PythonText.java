package layerwise.bench.config;

import static java.util.stream.Collectors.joining;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HexFormat;

/** Values as Python writes them, as literals and through its {@code json} module. */
final class PythonText {
    private PythonText() {}

    /** {@code name(key=literal, …)}. */
    static String call(String name, ObjectNode arguments) {
        return arguments.properties().stream()
                .map(argument -> argument.getKey() + "=" + literal(argument.getValue()))
                .collect(joining(", ", name + "(", ")"));
    }

    private static String literal(JsonNode value) {
        return switch (value.getNodeType()) {
            case NULL -> "None";
            case BOOLEAN -> value.booleanValue() ? "True" : "False";
            case NUMBER -> number(value);
            case STRING -> quoted(value.textValue());
            case ARRAY -> value.valueStream().map(PythonText::literal).collect(joining(", ", "[", "]"));
            case OBJECT, MISSING, BINARY, POJO -> throw new IllegalArgumentException("no literal: " + value);
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
    static String json(JsonNode value) {
        return switch (value.getNodeType()) {
            case OBJECT ->
                value.properties().stream()
                        .map(field -> ascii(field.getKey()) + ": " + json(field.getValue()))
                        .collect(joining(", ", "{", "}"));
            case ARRAY -> value.valueStream().map(PythonText::json).collect(joining(", ", "[", "]"));
            case NUMBER -> number(value);
            case STRING -> ascii(value.textValue());
            case NULL, BOOLEAN -> value.toString();
            case MISSING, BINARY, POJO -> throw new IllegalArgumentException("no JSON: " + value);
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

    private static String number(JsonNode value) {
        return value.isIntegralNumber() ? value.asText() : PythonFormat.repr(value.doubleValue());
    }
}
