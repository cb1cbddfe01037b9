package layerwise.bench.collectives;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import layerwise.tensor.ConfigException;

/**
 * A size as people write it: {@code 512}, {@code 8KiB}.
 *
 * @param bytes at least one
 */
record ByteSize(long bytes) {
    private static final List<String> UNITS = List.of("", "KiB", "MiB", "GiB");
    private static final Pattern FORM = Pattern.compile("([1-9]\\d{0,11})(|KiB|MiB|GiB)");

    /**
     * Reads one.
     *
     * @param place what messages start with
     * @throws ConfigException if it is none
     */
    static ByteSize parse(String place, String word) {
        Matcher form = FORM.matcher(word.strip());
        if (!form.matches()) {
            throw new ConfigException("%s: '%s': expected bytes, as in 512, 8KiB, 2MiB or 1GiB".formatted(place, word));
        }
        return new ByteSize(Long.parseLong(form.group(1)) << (10 * UNITS.indexOf(form.group(2))));
    }

    /** In the largest unit of which it is a whole number. */
    @Override
    public String toString() {
        int unit = Math.min(Long.numberOfTrailingZeros(bytes) / 10, UNITS.size() - 1);
        return (bytes >> (10 * unit)) + UNITS.get(unit);
    }
}
