package layerwise.tensor.safetensors;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.LongStream;
import layerwise.tensor.ConfigException;

/**
 * One JSON document read token by token, where everything unexpected is the file's fault.
 *
 * <p>Strict UTF-8, no duplicate keys, nothing after the document; every complaint is a {@link ConfigException} that
 * names the file and the part of it.
 */
final class StrictJson implements AutoCloseable {
    /** Largest document in bytes: the format's own limit for headers. */
    static final long MAX_BYTES = 100_000_000;

    // Names come from files of unknown origin: interning them would keep them forever, and the canonical name table
    // gives up with an IllegalStateException on crafted hash collisions.
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(16).build())
            .build();

    /** Reads one value; the parser stands on the value's first token. */
    interface Reader<T> {
        T read(String key) throws IOException;
    }

    private final Path file;
    private final String part;
    private final JsonParser parser;

    private StrictJson(Path file, String part, JsonParser parser) {
        this.file = file;
        this.part = part;
        this.parser = parser;
    }

    /** @param part what of the file the document is, for messages: "header" */
    static StrictJson open(Path file, String part, byte[] utf8) {
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(utf8))
                    .toString();
            return new StrictJson(file, part, FACTORY.createParser(text));
        } catch (CharacterCodingException e) {
            throw new ConfigException("%s: %s is not UTF-8".formatted(file, part), e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads the whole document: one object. */
    <T> Map<String, T> document(Reader<T> reader) {
        try {
            parser.nextToken();
            Map<String, T> members = object("document", reader);
            if (parser.nextToken() != null) {
                throw unexpected("document", "nothing after the closing brace");
            }
            return members;
        } catch (JsonProcessingException e) {
            throw new ConfigException("%s: %s is not valid JSON: %s".formatted(file, part, e.getOriginalMessage()), e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads the object that the parser stands on, members in order. */
    <T> Map<String, T> object(String what, Reader<T> reader) throws IOException {
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            throw unexpected(what, "an object");
        }
        Map<String, T> members = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String key = parser.currentName();
            if (members.containsKey(key)) {
                throw new ConfigException("%s: %s: %s: key '%s' appears twice".formatted(file, part, what, key));
            }
            parser.nextToken();
            members.put(key, reader.read(key));
        }
        return members;
    }

    String string(String what) throws IOException {
        if (parser.currentToken() != JsonToken.VALUE_STRING) {
            throw unexpected(what, "a string");
        }
        return parser.getText();
    }

    /** Reads an array of integers from 0 to 2^63 - 1. */
    long[] sizes(String what) throws IOException {
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            throw unexpected(what, "an array of sizes");
        }
        var sizes = LongStream.builder();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            // A number beyond long is an InputCoercionException, which the document turns into a complaint.
            if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT || parser.getLongValue() < 0) {
                throw unexpected(what, "whole numbers from 0 on");
            }
            sizes.add(parser.getLongValue());
        }
        return sizes.build().toArray();
    }

    void skip() throws IOException {
        parser.skipChildren();
    }

    ConfigException unexpected(String what, String expected) throws IOException {
        String found = parser.currentToken() == null ? "the end" : parser.getText();
        return new ConfigException("%s: %s: %s: found %s, expected %s".formatted(file, part, what, found, expected));
    }

    @Override
    public void close() {
        try {
            parser.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
