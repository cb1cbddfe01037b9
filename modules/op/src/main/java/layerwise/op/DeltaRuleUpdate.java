package layerwise.op;

import java.util.List;

/** {@link DeltaRule} for few tokens of each sequence, one after the other: decode. */
public record DeltaRuleUpdate(DeltaRule rule) implements Operator {
    @Override
    public List<TensorRef> inputs() {
        return rule.inputs();
    }

    @Override
    public List<TensorRef> outputs() {
        return rule.outputs();
    }

    /** Each element of the state decays, is multiplied with the key, corrected, and multiplied with the query. */
    @Override
    public Work work() {
        return new Work(7 * rule.v().shape().elements() * rule.keyDim(), rule.bytes(), Arithmetic.F32);
    }

    @Override
    public String label() {
        return rule.label();
    }
}
