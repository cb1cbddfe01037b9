package layerwise.model.layer;

import layerwise.op.TensorRef;

/** Half of a decoder layer: a mixer or an MLP between its norm and its addition to the residual stream. */
interface SubLayer {
    /** Of {@code hidden [T,H]}, already normalised; the result is {@code [T,H]}. */
    TensorRef emit(Emission to, TensorRef hidden);
}
