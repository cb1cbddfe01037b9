package layerwise.reference;

import java.util.function.Function;
import layerwise.op.Scaling;
import layerwise.op.TensorRef;
import layerwise.op.Weight;

/** Rows of a weight as the numbers that they stand for: elements times their scales. */
final class WeightRows {
    private final Weight weight;
    private final Operand data;
    private final Function<TensorRef, Operand> operands;

    WeightRows(Weight weight, Function<TensorRef, Operand> operands) {
        this.weight = weight;
        this.data = operands.apply(weight.data());
        this.operands = operands;
    }

    /** Row {@code n} of matrix {@code expert} (0 where there is one only). */
    float[] row(long expert, long n) {
        float[] values = data.row(expert * weight.n() + n);
        switch (weight.scaling()) {
            case Scaling.None none -> {}
            case Scaling.Block block -> {
                Operand scales = operands.apply(block.scales());
                float[] row = scales.row(expert * block.scales().dim(-2) + n / block.rows());
                for (int k = 0; k < values.length; k++) {
                    values[k] *= row[k / block.columns()];
                }
            }
            case Scaling.Nvfp4 nvfp4 -> {
                float[] blocks = operands.apply(nvfp4.blockScales()).row(expert * weight.n() + n);
                long segments = nvfp4.segmentScales().dim(-1);
                float segment = operands.apply(nvfp4.segmentScales()).get(expert, n / (weight.n() / segments));
                for (int k = 0; k < values.length; k++) {
                    // Element times block scale has six significant bits at most: only the last product rounds.
                    values[k] = values[k] * blocks[k / Scaling.Nvfp4.BLOCK] * segment;
                }
            }
        }
        return values;
    }
}
