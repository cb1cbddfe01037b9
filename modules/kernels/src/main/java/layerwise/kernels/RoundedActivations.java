package layerwise.kernels;

import layerwise.cuda.LaunchShape;
import layerwise.cuda.TensorMap;
import layerwise.op.Lane;
import layerwise.op.ScaleFormat;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;

/**
 * Activations in E4M3 with a scale for 128 elements of a row, in scratch that kernels/quantize_fp8_block.cu fills
 * before each product.
 */
final class RoundedActivations {
    private static final int BLOCK = 128;

    private final Preparation to;
    private final ScaleFormat format;
    private final long rows;
    private final long k;
    private final long pitch;
    private final long scalePitch;
    private final long codes;
    private final long scales;

    private RoundedActivations(Preparation to, TensorRef x, ScaleFormat format, Lane lane, int scaleAlignment) {
        this.to = to;
        this.format = format;
        rows = x.dim(0);
        k = x.dim(1);
        pitch = Math.ceilDiv(k, 16) * 16;
        scalePitch = Math.ceilDiv(rows, scaleAlignment) * scaleAlignment;
        codes = to.scratch(lane, rows * pitch + scalePitch * blocks() * Float.BYTES);
        scales = codes + rows * pitch;
    }

    /** Of {@code x [T,K]}, for one of our products on a lane: tensor maps want rows of scales at multiples of 16 bytes. */
    static RoundedActivations of(Preparation to, TensorRef x, ScaleFormat format, Lane lane) {
        return new RoundedActivations(to, x, format, lane, 4);
    }

    /** The same for cuBLASLt, which wants them without gaps. */
    static RoundedActivations dense(Preparation to, TensorRef x, ScaleFormat format, Lane lane) {
        return new RoundedActivations(to, x, format, lane, 1);
    }

    long codes() {
        return codes;
    }

    long scales() {
        return scales;
    }

    /** Elements from a row of codes to the next. */
    long pitch() {
        return pitch;
    }

    private long blocks() {
        return Math.ceilDiv(k, BLOCK);
    }

    /**
     * The launch that rounds.
     *
     * @param active address of the number of rows in use, or 0 where all are
     */
    Launchable rounding(TensorRef x, long active) {
        LaunchShape shape = LaunchShape.of(Math.toIntExact(blocks() * Math.ceilDiv(rows, 32)), 256);
        String symbol = switch (format) {
            case FLOAT32 -> "quantize_fp8_block_bf16";
            case UE8M0 -> "quantize_fp8_block_ue8m0_bf16";
        };
        return to.call("quantize_fp8_block", symbol, shape)
                .pointer(codes)
                .pointer(scales)
                .pointer(to.address(x))
                .pointer(active)
                .size(rows)
                .size(k)
                .wide(x.strides().step(0))
                .wide(pitch)
                .wide(scalePitch);
    }

    /** Boxes of 128 elements of so many rows. */
    TensorMap codes(int tokens) {
        return to.map(
                DType.E4M3,
                codes,
                new long[] {k, rows},
                new long[] {pitch},
                new int[] {BLOCK, tokens},
                TensorMap.Swizzle.BYTES_128);
    }

    /** One block's scales of so many rows. */
    TensorMap scales(int tokens) {
        return to.map(
                DType.F32,
                scales,
                new long[] {rows, blocks()},
                new long[] {scalePitch * Float.BYTES},
                new int[] {tokens, 1},
                TensorMap.Swizzle.NONE);
    }
}
