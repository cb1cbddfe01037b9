package layerwise.op;

import java.util.List;

/**
 * {@code y[t,q,d] = x[t,q,d] · sigmoid(gate[t,q,d])}.
 *
 * @param x    {@code [T,Q,D]}
 * @param gate {@code [T,Q,D]}, or {@code [T,Q,1]}: one for a whole row
 * @param y    {@code [T,Q,D]}
 */
public record SigmoidGate(TensorRef x, TensorRef gate, TensorRef y) implements Operator {
    public SigmoidGate {
        Expect.rank("SigmoidGate", "x", x, 3);
        Expect.rank("SigmoidGate", "gate", gate, 3);
        Expect.shape("SigmoidGate", "gate", gate, x.dim(0), x.dim(1), gate.dim(2) == 1 ? 1 : x.dim(2));
        Expect.shape("SigmoidGate", "y", y, x.dim(0), x.dim(1), x.dim(2));
    }

    @Override
    public List<TensorRef> inputs() {
        return List.of(x, gate);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(y);
    }

    @Override
    public Work work() {
        return new Work(
                x.shape().elements() + 3 * gate.shape().elements(),
                x.bytes() + gate.bytes() + y.bytes(),
                Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%dx%d".formatted(x.dim(0), x.dim(1), x.dim(2));
    }
}
