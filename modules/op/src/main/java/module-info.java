/**
 * Operators: immutable records that name their tensors and know their own least work, programs of them, the fusion
 * pass, and what an executor must offer.
 *
 * <p>Knows no device and no model.
 */
module layerwise.op {
    requires transitive layerwise.tensor;

    exports layerwise.op;
    exports layerwise.op.fusion;
}
