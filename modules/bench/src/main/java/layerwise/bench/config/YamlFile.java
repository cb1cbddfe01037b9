package layerwise.bench.config;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import layerwise.tensor.ConfigException;
import layerwise.tensor.NearestNames;

/**
 * A configuration file: a YAML mapping of option keys, each at most once.
 *
 * <p>A list option may be a single value. Null stands for "not given", except in {@code balance_ratio}, where it is a
 * value. Every option can be given here: {@code warmup_times} and {@code run_times} count as well.
 */
final class YamlFile {
    private static final YAMLMapper MAPPER = YAMLMapper.builder(YAMLFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final String name;

    private YamlFile(String name) {
        this.name = name;
    }

    /**
     * Reads {@code path}.
     *
     * @param name the file as messages name it
     * @throws ConfigException if it cannot be read, is no mapping, or has an unknown key or a value of the wrong type
     */
    static Map<RunOption, Setting> read(String name, Path path) {
        try {
            return new YamlFile(name).settings(Files.readString(path));
        } catch (CharacterCodingException e) {
            throw new ConfigException(name + ": not a UTF-8 text file", e);
        } catch (IOException e) {
            throw new ConfigException(name + ": cannot be read: " + OneLine.of(e.toString()), e);
        }
    }

    private Map<RunOption, Setting> settings(String text) {
        JsonNode root = parse(text);
        if (!root.isObject()) {
            throw new ConfigException(name + ": expected a mapping of option keys to values");
        }
        refuseUnknownKeys(root);
        Map<RunOption, Setting> settings = new EnumMap<>(RunOption.class);
        for (RunOption option : RunOption.values()) {
            JsonNode value = root.path(option.key());
            boolean given = !value.isMissingNode() && (!value.isNull() || option.kind() == RunOption.Kind.RATIOS);
            if (given) {
                settings.put(option, setting(option, value));
            }
        }
        return settings;
    }

    private JsonNode parse(String text) {
        try {
            return MAPPER.readTree(text);
        } catch (JsonProcessingException e) {
            JsonLocation location = e.getLocation();
            String line = location == null ? "" : ":" + location.getLineNr();
            throw new ConfigException(name + line + ": not valid YAML: " + OneLine.of(e.getOriginalMessage()), e);
        }
    }

    private void refuseUnknownKeys(JsonNode root) {
        List<String> unknown = new ArrayList<>();
        root.fieldNames().forEachRemaining(key -> {
            if (!RunOption.keys().contains(key)) {
                unknown.add(key);
            }
        });
        if (!unknown.isEmpty()) {
            throw new ConfigException(name + ": Config " + OneLine.of(String.join(",", unknown))
                    + " from file are not options" + NearestNames.hint(unknown.getFirst(), RunOption.keys()));
        }
    }

    private Setting setting(RunOption option, JsonNode value) {
        List<String> words = new ArrayList<>();
        if (option.kind().isList() && value.isArray()) {
            value.forEach(element -> words.add(word(option, element)));
        } else {
            words.add(word(option, value));
        }
        if (words.isEmpty()) {
            throw new ConfigException(place(option) + ": expected at least one value, found an empty list");
        }
        return new Setting(place(option), words);
    }

    private String word(RunOption option, JsonNode value) {
        boolean fits = switch (option.kind()) {
            case TEXT -> value.isTextual();
            case INTEGER, INTEGERS -> value.isIntegralNumber();
            case RATIOS -> value.isNumber() || value.isNull();
            case FLAG -> value.isBoolean();
        };
        if (!fits) {
            throw new ConfigException(place(option) + ": expected "
                    + option.kind().expectation() + ", found " + OneLine.of(value.toString()));
        }
        return value.asText();
    }

    private String place(RunOption option) {
        return name + ": " + option.key();
    }
}
