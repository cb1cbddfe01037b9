package layerwise.bench.exchange;

/**
 * What connects the ranks.
 *
 * @param nvlink   whether every GPU reaches every other one's memory over NVLink, so that methods for it are chosen
 * @param anyMethod whether every method can be carried all the same, if it is forced
 */
public record Links(boolean nvlink, boolean anyMethod) {
    /** The reference executor's messages: no method is better than another, and all of them work. */
    public static Links ofMessages() {
        return new Links(false, true);
    }
}
