package layerwise.op;

import java.util.List;

/** {@link StateSpace} for few tokens of each sequence, one after the other: decode. */
public record SsdStateUpdate(StateSpace ssm) implements Operator {
    @Override
    public List<TensorRef> inputs() {
        return ssm.inputs();
    }

    @Override
    public List<TensorRef> outputs() {
        return ssm.outputs();
    }

    /** Each element of the state decays, gets a product added, and is multiplied and added into the output. */
    @Override
    public Work work() {
        return new Work(6 * ssm.x().shape().elements() * ssm.stateDim(), ssm.bytes(), Arithmetic.F32);
    }

    @Override
    public String label() {
        return ssm.label();
    }
}
