package layerwise.op;

import java.util.List;
import layerwise.tensor.HostTensor;

/** What a buffer holds when it comes into being. */
public sealed interface Contents {
    /** Nothing in particular. */
    record Undefined() implements Contents {}

    /** Bytes of zero. */
    record Zeros() implements Contents {}

    /** Bytes of 0xFF: no number in any float type, −1 as an integer. What is not written afterwards shows. */
    record Poison() implements Contents {}

    /**
     * Reproducible noise: element {@code i} is {@code low + (high − low) · u(i)}, rounded to the buffer's type, with
     * {@link Noise#uniform} for u. The same on every executor.
     */
    record Uniform(float low, float high, long seed) implements Contents {}

    /** Reproducible raw bytes below {@code limit}: byte {@code i} is {@code floor(limit · u(i))}. */
    record RandomBytes(int limit, long seed) implements Contents {
        public RandomBytes {
            if (limit < 1 || limit > 256) {
                throw new IllegalArgumentException("bytes below " + limit);
            }
        }

        /** Byte {@code i}, in integers: a float product could round up to the limit. */
        public int at(long i) {
            return (int) ((limit * (Noise.bits(seed, i) >>> 40)) >> 24);
        }
    }

    /** Copies of host tensors, one behind the other; together they fill the buffer. Types must be the buffer's. */
    record Copied(List<HostTensor> parts) implements Contents {
        public Copied {
            parts = List.copyOf(parts);
        }
    }
}
