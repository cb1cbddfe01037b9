package layerwise.op;

import java.util.List;
import layerwise.tensor.DType;

/**
 * A weight matrix as stored, or a stack of them: {@code y = x · Wᵀ}.
 *
 * @param data    {@code [N,K]} or {@code [E,N,K]}, contiguous
 * @param scaling multipliers
 */
public record Weight(TensorRef data, Scaling scaling) {
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
