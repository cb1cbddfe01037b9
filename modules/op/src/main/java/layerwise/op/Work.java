package layerwise.op;

/**
 * The least work that an operator must do: the two coordinates of the roofline.
 *
 * @param flops      floating-point operations, a multiply-add counted as two
 * @param bytes      bytes moved when each input is read once and each output written once
 * @param arithmetic units that do the operations
 */
public record Work(long flops, long bytes, Arithmetic arithmetic) {
    public Work {
        if (flops < 0 || bytes < 0) {
            throw new IllegalArgumentException("negative work: %d flops, %d bytes".formatted(flops, bytes));
        }
    }
}
