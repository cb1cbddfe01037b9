package layerwise.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import layerwise.bindings.cublasLt.cublasLtMatmulAlgo_t;
import layerwise.bindings.cublasLt.cublasLtMatmulHeuristicResult_t;
import layerwise.bindings.cublasLt.cublasLt_h;

/**
 * One prepared matrix product: descriptors, algorithm and addresses. A launch is one native call and allocates nothing.
 *
 * <p>Choose an algorithm with {@link #use}, set the addresses with {@link #bind}, then {@link #launch} as often as you
 * like.
 */
public final class MatmulPlan implements AutoCloseable {
    private final CublasLt library;
    private final MatmulProblem problem;
    private final CublasDescriptor product;
    private final CublasDescriptor matrixA;
    private final CublasDescriptor matrixB;
    private final CublasDescriptor matrixD;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment alpha;
    private final MemorySegment beta;
    private final MemorySegment algorithm;
    private long workspaceNeeded = -1;
    private MemorySegment addressA = MemorySegment.NULL;
    private MemorySegment addressB = MemorySegment.NULL;
    private MemorySegment addressD = MemorySegment.NULL;
    private MemorySegment workspace = MemorySegment.NULL;
    private long workspaceBytes;

    MatmulPlan(CublasLt library, MatmulProblem problem) {
        this.library = library;
        this.problem = problem;
        Device device = library.device();
        this.product = CublasDescriptor.product(device, problem);
        this.matrixA = problem.transposeA()
                ? CublasDescriptor.matrix(device, problem.a(), problem.k(), problem.m(), problem.batch())
                : CublasDescriptor.matrix(device, problem.a(), problem.m(), problem.k(), problem.batch());
        this.matrixB = problem.transposeB()
                ? CublasDescriptor.matrix(device, problem.b(), problem.n(), problem.k(), problem.batch())
                : CublasDescriptor.matrix(device, problem.b(), problem.k(), problem.n(), problem.batch());
        this.matrixD = CublasDescriptor.matrix(device, problem.d(), problem.m(), problem.n(), problem.batch());
        this.alpha = arena.allocateFrom(JAVA_FLOAT, 1f);
        this.beta = arena.allocateFrom(JAVA_FLOAT, problem.accumulate() ? 1f : 0f);
        this.algorithm = cublasLtMatmulAlgo_t.allocate(arena);
    }

    /** What is computed. */
    public MatmulProblem problem() {
        return problem;
    }

    /**
     * The library's own suggestions, the one it thinks fastest first; empty if it cannot do this product.
     *
     * @param limit          how many to ask for
     * @param workspaceLimit bytes of workspace that an algorithm may need
     */
    public List<MatmulAlgorithm> heuristics(int limit, long workspaceLimit) {
        library.device().checkThread();
        try (Arena call = Arena.ofConfined();
                CublasDescriptor preference = CublasDescriptor.preference(library.device(), workspaceLimit)) {
            MemorySegment results = cublasLtMatmulHeuristicResult_t.allocateArray(limit, call);
            MemorySegment count = call.allocate(JAVA_INT);
            int status = cublasLt_h.cublasLtMatmulAlgoGetHeuristic(
                    library.handle(),
                    product.handle(),
                    matrixA.handle(),
                    matrixB.handle(),
                    matrixD.handle(),
                    matrixD.handle(),
                    preference.handle(),
                    limit,
                    results,
                    count);
            if (status == cublasLt_h.CUBLAS_STATUS_NOT_SUPPORTED()) {
                return List.of();
            }
            CublasException.check(status, "cublasLtMatmulAlgoGetHeuristic", problem);
            List<MatmulAlgorithm> found = new ArrayList<>();
            for (int i = 0; i < count.get(JAVA_INT, 0); i++) {
                MemorySegment result = cublasLtMatmulHeuristicResult_t.asSlice(results, i);
                if (cublasLtMatmulHeuristicResult_t.state(result) == 0) {
                    found.add(new MatmulAlgorithm(
                            cublasLtMatmulHeuristicResult_t.algo(result).toArray(JAVA_BYTE),
                            cublasLtMatmulHeuristicResult_t.workspaceSize(result)));
                }
            }
            return found;
        }
    }

    /** Whether an algorithm, for example one that was kept in a file, can do this product on this GPU. */
    public boolean supports(MatmulAlgorithm candidate) {
        library.device().checkThread();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment algo = cublasLtMatmulAlgo_t.allocate(call);
            MemorySegment.copy(candidate.data(), 0, algo, JAVA_BYTE, 0, MatmulAlgorithm.BYTES);
            MemorySegment result = cublasLtMatmulHeuristicResult_t.allocate(call);
            int status = cublasLt_h.cublasLtMatmulAlgoCheck(
                    library.handle(),
                    product.handle(),
                    matrixA.handle(),
                    matrixB.handle(),
                    matrixD.handle(),
                    matrixD.handle(),
                    algo,
                    result);
            return status == 0 && cublasLtMatmulHeuristicResult_t.workspaceSize(result) <= candidate.workspaceBytes();
        }
    }

    /** Chooses the algorithm of later launches. */
    public MatmulPlan use(MatmulAlgorithm chosen) {
        MemorySegment.copy(chosen.data(), 0, algorithm, JAVA_BYTE, 0, MatmulAlgorithm.BYTES);
        workspaceNeeded = chosen.workspaceBytes();
        return this;
    }

    /** Sets the addresses of later launches; the memory must outlive them, as must graphs that captured one. */
    public MatmulPlan bind(long a, long b, long d, DeviceMemory scratch) {
        addressA = MemorySegment.ofAddress(a);
        addressB = MemorySegment.ofAddress(b);
        addressD = MemorySegment.ofAddress(d);
        workspace = MemorySegment.ofAddress(scratch.address());
        workspaceBytes = scratch.bytes();
        return this;
    }

    /** Sets the addresses of the scale factors, float32 in device memory and multiples of 16, as {@link MatmulProblem#scales} says. */
    public MatmulPlan bindScales(long scaleA, long scaleB) {
        product.pointToScales(scaleA, scaleB);
        return this;
    }

    /**
     * Queues the product.
     *
     * @throws IllegalStateException if no algorithm was chosen, or the workspace bound is too small for it
     */
    public void launch(CudaStream stream) {
        library.device().checkThread();
        if (workspaceNeeded < 0 || workspaceNeeded > workspaceBytes) {
            throw new IllegalStateException("%s: algorithm needs %d bytes of workspace (-1: none chosen), %d are bound"
                    .formatted(problem, workspaceNeeded, workspaceBytes));
        }
        CublasException.check(
                cublasLt_h.cublasLtMatmul(
                        library.handle(),
                        product.handle(),
                        alpha,
                        addressA,
                        matrixA.handle(),
                        addressB,
                        matrixB.handle(),
                        beta,
                        addressD,
                        matrixD.handle(),
                        addressD,
                        matrixD.handle(),
                        algorithm,
                        workspace,
                        workspaceBytes,
                        stream.handle()),
                "cublasLtMatmul",
                problem);
    }

    @Override
    public void close() {
        matrixD.close();
        matrixB.close();
        matrixA.close();
        product.close();
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
