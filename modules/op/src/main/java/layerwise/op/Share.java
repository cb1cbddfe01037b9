package layerwise.op;

/**
 * A part of an axis: one rank's heads or experts, for example.
 *
 * @param from  first index
 * @param to    past the last
 * @param whole length of the whole axis
 */
public record Share(long from, long to, long whole) {
    public Share {
        if (from < 0 || to < from || to > whole) {
            throw new IllegalArgumentException("[%d,%d) of %d".formatted(from, to, whole));
        }
    }

    /** Everything. */
    public static Share all(long whole) {
        return new Share(0, whole, whole);
    }

    public long size() {
        return to - from;
    }

    public boolean isWhole() {
        return size() == whole;
    }

    /** The same part of an axis with {@code each} elements for every one of this: rows of heads, for example. */
    public Share times(long each) {
        return new Share(from * each, to * each, Math.multiplyExact(whole, each));
    }

    /** The same elements where the axis is a stretch, from {@code offset} on, of a longer one. */
    public Share within(long offset, long longer) {
        return new Share(offset + from, offset + to, longer);
    }

    /**
     * The same part of an axis with one element for every {@code block} of this: scales, for example.
     *
     * @throws IllegalArgumentException if the part begins or ends within a block, other than where the axis ends
     */
    public Share blocks(long block) {
        if (from % block != 0 || (to % block != 0 && to != whole)) {
            throw new IllegalArgumentException("[%d,%d) of %d cuts blocks of %d".formatted(from, to, whole, block));
        }
        return new Share(from / block, Math.ceilDiv(to, block), Math.ceilDiv(whole, block));
    }
}
