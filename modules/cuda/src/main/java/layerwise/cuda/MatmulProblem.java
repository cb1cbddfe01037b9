package layerwise.cuda;

import java.util.Locale;
import layerwise.tensor.DType;

/**
 * A matrix product {@code D = op(A) · op(B)}, or {@code D += op(A) · op(B)}, accumulated in float32; column-major.
 *
 * @param m                rows of D and of op(A)
 * @param n                columns of D and of op(B)
 * @param k                columns of op(A), rows of op(B)
 * @param transposeA       whether A is stored k × m; FP8 demands it
 * @param transposeB       whether B is stored n × k; FP8 forbids it
 * @param a                A
 * @param b                B
 * @param d                D
 * @param batch            number of products
 * @param accumulate       whether D is added to rather than written
 * @param fastAccumulation FP8 only: partial sums stay in the tensor cores' shorter accumulator
 * @param scales           what the scale pointers of FP8 operands point to
 */
public record MatmulProblem(
        long m,
        long n,
        long k,
        boolean transposeA,
        boolean transposeB,
        MatmulOperand a,
        MatmulOperand b,
        MatmulOperand d,
        int batch,
        boolean accumulate,
        boolean fastAccumulation,
        Scales scales) {

    /** Scale factors of FP8 operands. */
    public enum Scales {
        /** None: other types, or factors of 1. */
        NONE,
        /** One float for A, one for B. */
        PER_TENSOR,
        /** Weights (A) by 128 × 128 blocks, activations (B) by 128 elements along k; cuBLASLt 12.9, Hopper. */
        BLOCK_128
    }

    public MatmulProblem {
        if (m < 1 || n < 1 || k < 1 || batch < 1) {
            throw new IllegalArgumentException(
                    "m=%d, n=%d, k=%d, batch=%d: all are at least 1".formatted(m, n, k, batch));
        }
    }

    /**
     * A linear layer as row-major tensors: {@code y[T,N] = x[T,K] · w[N,K]ᵀ}; A is the weight, B the activation, D the
     * output.
     */
    public static MatmulProblem linear(long tokens, long outputs, long inputs, DType type, DType output) {
        return new MatmulProblem(
                outputs,
                tokens,
                inputs,
                true,
                false,
                MatmulOperand.of(type, inputs),
                MatmulOperand.of(type, inputs),
                MatmulOperand.of(output, outputs),
                1,
                false,
                false,
                Scales.NONE);
    }

    /** The same with scale factors. */
    public MatmulProblem withScales(Scales other) {
        return new MatmulProblem(m, n, k, transposeA, transposeB, a, b, d, batch, accumulate, fastAccumulation, other);
    }

    /** Floating-point operations of the whole batch. */
    public long flops() {
        return Math.multiplyExact(Math.multiplyExact(2 * m, Math.multiplyExact(n, k)), batch);
    }

    /** One line that says everything an algorithm depends on; the key of a cache of algorithms. */
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%dx%dx%d %s%s %s*%s->%s ld %d,%d,%d batch %d (%d,%d,%d)%s%s%s",
                m,
                n,
                k,
                transposeA ? "T" : "N",
                transposeB ? "T" : "N",
                a.type(),
                b.type(),
                d.type(),
                a.leadingDimension(),
                b.leadingDimension(),
                d.leadingDimension(),
                batch,
                a.batchStride(),
                b.batchStride(),
                d.batchStride(),
                accumulate ? " accumulate" : "",
                fastAccumulation ? " fast" : "",
                scales == Scales.NONE ? "" : " " + scales.name().toLowerCase(Locale.ROOT));
    }
}
