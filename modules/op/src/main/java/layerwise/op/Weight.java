package layerwise.op;

import java.util.List;
import java.util.function.UnaryOperator;
import layerwise.tensor.DType;

/**
 * A weight matrix as stored, or a stack of them: {@code y = x · Wᵀ}.
 *
 * @param data    {@code [N,K]} or {@code [E,N,K]}, contiguous
 * @param scaling multipliers
 */
public record Weight(TensorRef data, Scaling scaling) {
    /** Elements along K that share a scale of rounded activations, and rows and columns of the weights' blocks. */
    public static final int ROUNDED_BLOCK = 128;

    private static final int TENSOR_CORE_VECTOR = 16;

    public Weight {
        if (data.rank() < 2 || data.rank() > 3 || !data.isContiguous()) {
            throw new IllegalArgumentException("a weight is a contiguous matrix or a stack of them: " + data);
        }
        boolean fits = switch (scaling) {
            case Scaling.None none -> data.dtype().isFloat() && data.dtype() != DType.E2M1;
            case Scaling.Block block ->
                data.dtype() == DType.E4M3
                        && block.scales().dim(-2) == Math.ceilDiv(data.dim(-2), block.rows())
                        && block.scales().dim(-1) == Math.ceilDiv(data.dim(-1), block.columns());
            case Scaling.Nvfp4 nvfp4 ->
                data.dtype() == DType.E2M1
                        && data.dim(-1) == nvfp4.blockScales().dim(-1) * Scaling.Nvfp4.BLOCK
                        && data.dim(-2) == nvfp4.blockScales().dim(-2)
                        && data.dim(-2) % nvfp4.segmentScales().dim(-1) == 0;
        };
        if (!fits) {
            throw new IllegalArgumentException("%s does not go with %s".formatted(scaling, data));
        }
    }

    public static Weight plain(TensorRef data) {
        return new Weight(data, new Scaling.None());
    }

    /** One matrix of a stack, itself a stack of one. */
    public Weight expert(long e) {
        return map(tensor -> tensor.slice(0, e, e + 1));
    }

    /** All of the buffers that this weight is a part of: the stack that {@link #expert} was taken from. */
    public Weight stack() {
        return map(tensor -> tensor.buffer().whole());
    }

    private Weight map(UnaryOperator<TensorRef> part) {
        return new Weight(
                part.apply(data),
                switch (scaling) {
                    case Scaling.None none -> none;
                    case Scaling.Block block ->
                        new Scaling.Block(
                                part.apply(block.scales()), block.rows(), block.columns(), block.activations());
                    case Scaling.Nvfp4 nvfp4 ->
                        new Scaling.Nvfp4(part.apply(nvfp4.blockScales()), part.apply(nvfp4.segmentScales()));
                });
    }

    /** Output features of one matrix. */
    public long n() {
        return data.dim(-2);
    }

    /** Input features of one matrix. */
    public long k() {
        return data.dim(-1);
    }

    public WeightFormat format() {
        return switch (scaling) {
            case Scaling.Block block -> WeightFormat.FP8_BLOCK;
            case Scaling.Nvfp4 nvfp4 -> WeightFormat.NVFP4;
            case Scaling.None none ->
                switch (data.dtype()) {
                    case F32 -> WeightFormat.F32;
                    case F16 -> WeightFormat.F16;
                    case BF16 -> WeightFormat.BF16;
                    case E4M3, E5M2, E2M1, UE8M0, I32, I8 -> throw new IllegalStateException("unscaled " + data);
                };
        };
    }

    /**
     * Whether products with this weight round their activations to E4M3 first, as engines do with DeepSeek's FP8
     * checkpoints: one scale of the checkpoint's {@link ScaleFormat} for 128 elements of a row. Activations wider than
     * bfloat16 are multiplied as they are.
     *
     * @see <a href="https://arxiv.org/abs/2412.19437">DeepSeek-AI 2024, §3.3.1</a>
     */
    public boolean roundsActivations(DType activations) {
        return scaling instanceof Scaling.Block block
                && block.rows() == ROUNDED_BLOCK
                && block.columns() == ROUNDED_BLOCK
                && k() % TENSOR_CORE_VECTOR == 0
                && activations == DType.BF16;
    }

    /** Units that multiply activations of this type with the weight. */
    Arithmetic arithmetic(DType activations) {
        return roundsActivations(activations) ? Arithmetic.FP8 : Arithmetic.BF16;
    }

    /** Every tensor that holds a part of the weight. */
    public List<TensorRef> tensors() {
        return switch (scaling) {
            case Scaling.None none -> List.of(data);
            case Scaling.Block block -> List.of(data, block.scales());
            case Scaling.Nvfp4 nvfp4 -> List.of(data, nvfp4.blockScales(), nvfp4.segmentScales());
        };
    }

    /** Bytes of elements and scales. */
    public long bytes() {
        return tensors().stream().mapToLong(TensorRef::bytes).sum();
    }
}
