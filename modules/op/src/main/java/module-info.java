/**
 * Operators: immutable records that name their tensors and know their own least work, the fusion pass, executors.
 *
 * <p>Knows no device and no model.
 */
module layerwise.op {
    requires transitive layerwise.tensor;
}
