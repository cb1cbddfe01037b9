package layerwise.model.parallel;

/**
 * One rank's part of an axis.
 *
 * @param from  first index
 * @param to    past the last
 * @param whole length of the whole axis
 */
public record Share(int from, int to, int whole) {
    public Share {
        if (from < 0 || to < from || to > whole) {
            throw new IllegalArgumentException("[%d,%d) of %d".formatted(from, to, whole));
        }
    }

    /** Everything. */
    public static Share all(int whole) {
        return new Share(0, whole, whole);
    }

    public int size() {
        return to - from;
    }

    public boolean isWhole() {
        return size() == whole;
    }

    /** The same part of an axis of {@code each} times as many elements, as rows of heads are. */
    public Share times(int each) {
        return new Share(from * each, to * each, Math.multiplyExact(whole, each));
    }
}
