package layerwise.bench.verify;

import layerwise.op.Operator;
import layerwise.op.TensorRef;

/** One output of one operator, compared. */
record VerifiedOutput(Operator operator, TensorRef output, Comparison comparison) {}
