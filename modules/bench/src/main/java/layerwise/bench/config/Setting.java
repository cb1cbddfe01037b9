package layerwise.bench.config;

import java.util.List;
import java.util.regex.Pattern;
import layerwise.tensor.ConfigException;
import layerwise.tensor.NearestNames;

/**
 * The value that one option got, as words, and where from.
 *
 * @param place what messages start with: {@code --run-type} or {@code config.yaml: run_type}
 * @param words one word, or as many as the list has elements; the word of YAML's null in a list is {@code null}
 */
record Setting(String place, List<String> words) {
    private static final Pattern NUMBER = Pattern.compile("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?");

    Setting {
        words = List.copyOf(words);
    }

    String word() {
        return words.getFirst();
    }

    /** The only word as an integer of at least {@code least}. */
    int integer(int least) {
        return integer(word(), least);
    }

    List<Integer> integers(int least) {
        return words.stream().map(word -> integer(word, least)).toList();
    }

    private int integer(String word, int least) {
        int value;
        try {
            value = Integer.parseInt(word.strip());
        } catch (NumberFormatException e) {
            throw refused("an integer", word);
        }
        if (value < least) {
            throw refused("an integer of at least " + least, word);
        }
        return value;
    }

    /** One element of a ratio list: a number in [0, 1]. */
    double ratio(String word) {
        String text = word.strip();
        double value = NUMBER.matcher(text).matches() ? Double.parseDouble(text) : Double.NaN;
        if (!(value >= 0 && value <= 1)) {
            throw refused("a number from 0 to 1, or null", word);
        }
        return value == 0 ? 0.0 : value; // -0 is 0
    }

    /** The choice that prints as the only word. */
    <E> E choice(List<E> choices) {
        return choices.stream()
                .filter(choice -> choice.toString().equals(word()))
                .findFirst()
                .orElseThrow(
                        () -> refused(choices.stream().map(Object::toString).toList(), word()));
    }

    ConfigException refused(String expected, String word) {
        return new ConfigException(place + ": expected " + expected + ", found " + OneLine.quote(word));
    }

    ConfigException refused(List<String> choices, String word) {
        return new ConfigException(place + ": expected one of " + String.join(", ", choices) + ", found "
                + OneLine.quote(word) + NearestNames.hint(word, choices));
    }
}
