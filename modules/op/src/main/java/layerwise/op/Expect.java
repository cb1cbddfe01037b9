package layerwise.op;

import java.util.Arrays;
import layerwise.tensor.DType;
import layerwise.tensor.Shape;

/** Preconditions of operators; every message names the tensor and both shapes. */
final class Expect {
    private Expect() {}

    static void shape(String operator, String role, TensorRef tensor, long... dims) {
        if (!tensor.shape().equals(Shape.of(dims))) {
            throw new IllegalArgumentException("%s: %s must be %s but is %s"
                    .formatted(operator, role, Arrays.toString(dims).replace(" ", ""), tensor));
        }
    }

    static void dtype(String operator, String role, TensorRef tensor, DType dtype) {
        if (tensor.dtype() != dtype) {
            throw new IllegalArgumentException("%s: %s must be %s but is %s".formatted(operator, role, dtype, tensor));
        }
    }

    static void rank(String operator, String role, TensorRef tensor, int rank) {
        if (tensor.rank() != rank) {
            throw new IllegalArgumentException(
                    "%s: %s must have %d axes but is %s".formatted(operator, role, rank, tensor));
        }
    }

    static void contiguous(String operator, TensorRef... tensors) {
        for (TensorRef tensor : tensors) {
            if (!tensor.isContiguous()) {
                throw new IllegalArgumentException("%s: rows with gaps: %s".formatted(operator, tensor));
            }
        }
    }

    static void that(boolean holds, String message, Object... values) {
        if (!holds) {
            throw new IllegalArgumentException(message.formatted(values));
        }
    }
}
