package layerwise.tensor;

/** Results that do not agree with what they should be. Programs exit with 3. */
public final class WrongResultException extends LayerwiseException {
    private static final long serialVersionUID = 1L;

    public WrongResultException(String message) {
        super(message);
    }
}
