package layerwise.estimate;

import java.util.Optional;
import layerwise.op.Arithmetic;
import layerwise.op.Operator;
import layerwise.op.Work;

/**
 * What a GPU can do.
 *
 * @param name        for people
 * @param memoryBytes of the device
 * @param nominal     rates by its data sheet
 * @param measured    the best rates that were seen on such a card; empty where none were measured
 * @param fabric      what joins it to others
 */
public record GpuFacts(String name, long memoryBytes, Rates nominal, Optional<Rates> measured, Fabric fabric) {
    /**
     * An operator's least work with the arithmetic that this GPU would do it in: products with NVFP4 weights in FP4 where it
     * has that, products with FP8 weights in BF16 where it has no FP8.
     */
    public Work work(Operator operator) {
        Work work = operator.work();
        Arithmetic arithmetic = work.arithmetic();
        if (arithmetic == Arithmetic.BF16
                && OperatorKind.of(operator).format().equals("nvfp4")
                && nominal.flops().containsKey(Arithmetic.FP4)) {
            arithmetic = Arithmetic.FP4;
        } else if (arithmetic == Arithmetic.FP8 && !nominal.flops().containsKey(Arithmetic.FP8)) {
            arithmetic = Arithmetic.BF16;
        }
        return new Work(work.flops(), work.bytes(), work.linkBytes(), arithmetic);
    }
}
