package layerwise.op;

/**
 * The least work that an operator must do: the coordinates of the roofline.
 *
 * @param flops      floating-point operations, a multiply-add counted as two
 * @param bytes      bytes of this device's memory moved when each input is read once and each output written once
 * @param linkBytes  bytes that this device must send to other devices or get from them, whichever is more
 * @param arithmetic units that do the operations
 */
public record Work(long flops, long bytes, long linkBytes, Arithmetic arithmetic) {
    public Work {
        if (flops < 0 || bytes < 0 || linkBytes < 0) {
            throw new IllegalArgumentException(
                    "negative work: %d flops, %d bytes, %d over links".formatted(flops, bytes, linkBytes));
        }
    }

    /** Work that stays on its device. */
    public Work(long flops, long bytes, Arithmetic arithmetic) {
        this(flops, bytes, 0, arithmetic);
    }
}
