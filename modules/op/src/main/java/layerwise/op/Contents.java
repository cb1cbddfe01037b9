package layerwise.op;

import java.util.List;
import java.util.Optional;
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
     * Reproducible noise: the element that is number {@code i} of the whole is {@code low + (high − low) · u(i)}, rounded to
     * the buffer's type, with {@link Noise#uniform} for u. The same on every executor, and on every rank that holds it.
     *
     * @param region which part of the whole the buffer is; empty for all of it
     */
    record Uniform(float low, float high, long seed, Optional<Region> region) implements Contents {
        /** Of a whole tensor. */
        public Uniform(float low, float high, long seed) {
            this(low, high, seed, Optional.empty());
        }
    }

    /**
     * Reproducible raw bytes below {@code limit}: the byte that is number {@code i} of the whole is {@code floor(limit ·
     * u(i))}.
     *
     * @param region which part of the whole the buffer is, in bytes; empty for all of it
     */
    record RandomBytes(int limit, long seed, Optional<Region> region) implements Contents {
        public RandomBytes {
            if (limit < 1 || limit > 256) {
                throw new IllegalArgumentException("bytes below " + limit);
            }
        }

        /** Byte {@code i} of the whole, in integers: a float product could round up to the limit. */
        public int at(long i) {
            return (int) ((limit * (Noise.bits(seed, i) >>> 40)) >> 24);
        }
    }

    /**
     * What the buffer holds in another memory of the same executor.
     *
     * @param source holds a buffer of the same name and size
     */
    record CopyOf(Memory source) implements Contents {}

    /** Copies of host tensors, one behind the other; together they fill the buffer. Types must be the buffer's. */
    record Copied(List<HostTensor> parts) implements Contents {
        public Copied {
            parts = List.copyOf(parts);
        }
    }
}
