package layerwise.kernels;

import layerwise.cuda.LaunchShape;
import layerwise.cuda.TensorMap;
import layerwise.op.Activations;
import layerwise.op.Lane;
import layerwise.op.ScaleFormat;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;

/**
 * Where activations in E4M3 lie, with a scale for 128 elements of a row.
 *
 * @param k          elements of a row
 * @param pitch      from a row of codes to the next
 * @param scalePitch from a block's scales to the next one's
 * @param codes      address
 * @param scales     address
 */
record RoundedActivations(Preparation to, long rows, long k, long pitch, long scalePitch, long codes, long scales) {
    private static final int BLOCK = 128;

    /** Rows of a block of threads of kernels/common/round_block.cuh. */
    private static final int ROWS = 32;

    /** Tensors of the program. */
    static RoundedActivations of(Preparation to, Activations x) {
        TensorRef scales = x.scales().orElseThrow();
        return new RoundedActivations(
                to,
                x.rows(),
                x.width(),
                x.data().strides().step(0),
                scales.strides().step(1),
                to.address(x.data()),
                to.address(scales));
    }

    /** Scratch of a lane for {@code x [T,K]} of one of our products: tensor maps want rows of scales at multiples of 16 bytes. */
    static RoundedActivations scratch(Preparation to, TensorRef x, Lane lane) {
        return scratch(to, x, lane, 4);
    }

    /** The same for cuBLASLt, which wants them without gaps. */
    static RoundedActivations denseScratch(Preparation to, TensorRef x, Lane lane) {
        return scratch(to, x, lane, 1);
    }

    private static RoundedActivations scratch(Preparation to, TensorRef x, Lane lane, int scaleAlignment) {
        long rows = x.dim(0);
        long pitch = Math.ceilDiv(x.dim(1), 16) * 16;
        long scalePitch = Math.ceilDiv(rows, scaleAlignment) * scaleAlignment;
        long codes = to.scratch(lane, rows * pitch + scalePitch * blocks(x.dim(1)) * Float.BYTES);
        return new RoundedActivations(to, rows, x.dim(1), pitch, scalePitch, codes, codes + rows * pitch);
    }

    private static long blocks(long k) {
        return Math.ceilDiv(k, BLOCK);
    }

    /** The part of symbols that says which scales a kernel makes. */
    static String suffix(ScaleFormat format) {
        return switch (format) {
            case FLOAT32 -> "";
            case UE8M0 -> "_ue8m0";
        };
    }

    /**
     * The launch that rounds.
     *
     * @param active address of the number of rows in use, or 0 where all are
     */
    Launchable rounding(TensorRef x, ScaleFormat format, long active) {
        return to.call("quantize_fp8_block", "quantize_fp8_block%s_bf16".formatted(suffix(format)), shape())
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

    /** Of the kernels that round as kernels/common/round_block.cuh does. */
    LaunchShape shape() {
        return LaunchShape.of(Math.toIntExact(blocks(k) * Math.ceilDiv(rows, ROWS)), 256);
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
                new long[] {rows, blocks(k)},
                new long[] {scalePitch * Float.BYTES},
                new int[] {tokens, 1},
                TensorMap.Swizzle.NONE);
    }
}
