package layerwise.bench.verify;

import layerwise.op.Operator;
import layerwise.op.TensorRef;
import layerwise.reference.Sample;

/** One output of one operator, compared. */
record VerifiedOutput(Operator operator, TensorRef output, Sample sample, Comparison comparison) {}
