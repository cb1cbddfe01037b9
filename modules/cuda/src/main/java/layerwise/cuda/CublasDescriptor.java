package layerwise.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import layerwise.bindings.cublasLt.cublasLt_h;
import layerwise.tensor.DType;

/** A descriptor of cuBLASLt: of a product, a matrix or a preference. */
final class CublasDescriptor extends NativeHandle {
    private CublasDescriptor(Device device, MemorySegment raw, Consumer<MemorySegment> destroy) {
        super(device.handles(), raw, destroy);
    }

    /** Describes the arithmetic and the scales of a product. */
    static CublasDescriptor product(Device device, MatmulProblem problem) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment made = arena.allocate(cublasLt_h.C_POINTER);
            CublasException.check(
                    cublasLt_h.cublasLtMatmulDescCreate(made, cublasLt_h.CUBLAS_COMPUTE_32F(), cublasLt_h.CUDA_R_32F()),
                    "cublasLtMatmulDescCreate",
                    problem);
            CublasDescriptor product = new CublasDescriptor(
                    device,
                    made.get(ADDRESS, 0),
                    raw -> CublasException.check(
                            cublasLt_h.cublasLtMatmulDescDestroy(raw), "cublasLtMatmulDescDestroy"));
            product.setProduct(cublasLt_h.CUBLASLT_MATMUL_DESC_TRANSA(), operation(problem.transposeA()));
            product.setProduct(cublasLt_h.CUBLASLT_MATMUL_DESC_TRANSB(), operation(problem.transposeB()));
            if (problem.fastAccumulation()) {
                product.setProduct(
                        cublasLt_h.CUBLASLT_MATMUL_DESC_FAST_ACCUM(), arena.allocateFrom(JAVA_BYTE, (byte) 1));
            }
            if (problem.scales() == MatmulProblem.Scales.BLOCK_128) {
                product.setProduct(
                        cublasLt_h.CUBLASLT_MATMUL_DESC_A_SCALE_MODE(),
                        cublasLt_h.CUBLASLT_MATMUL_MATRIX_SCALE_BLK128x128_32F());
                product.setProduct(
                        cublasLt_h.CUBLASLT_MATMUL_DESC_B_SCALE_MODE(),
                        cublasLt_h.CUBLASLT_MATMUL_MATRIX_SCALE_VEC128_32F());
            }
            return product;
        }
    }

    private static int operation(boolean transpose) {
        return transpose ? cublasLt_h.CUBLAS_OP_T() : cublasLt_h.CUBLAS_OP_N();
    }

    private void setProduct(int attribute, int value) {
        try (Arena arena = Arena.ofConfined()) {
            setProduct(attribute, arena.allocateFrom(JAVA_INT, value));
        }
    }

    private void setProduct(int attribute, MemorySegment value) {
        CublasException.check(
                cublasLt_h.cublasLtMatmulDescSetAttribute(handle(), attribute, value, value.byteSize()),
                "cublasLtMatmulDescSetAttribute",
                "attribute " + attribute);
    }

    /** Points a product to the scale factors of its operands, in device memory. */
    void pointToScales(long scaleA, long scaleB) {
        try (Arena arena = Arena.ofConfined()) {
            setProduct(cublasLt_h.CUBLASLT_MATMUL_DESC_A_SCALE_POINTER(), arena.allocateFrom(JAVA_LONG, scaleA));
            setProduct(cublasLt_h.CUBLASLT_MATMUL_DESC_B_SCALE_POINTER(), arena.allocateFrom(JAVA_LONG, scaleB));
        }
    }

    /** Describes a batch of matrices. */
    static CublasDescriptor matrix(Device device, MatmulOperand operand, long rows, long columns, int batch) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment made = arena.allocate(cublasLt_h.C_POINTER);
            CublasException.check(
                    cublasLt_h.cublasLtMatrixLayoutCreate(
                            made, dataType(operand.type()), rows, columns, operand.leadingDimension()),
                    "cublasLtMatrixLayoutCreate",
                    operand);
            CublasDescriptor matrix = new CublasDescriptor(
                    device,
                    made.get(ADDRESS, 0),
                    raw -> CublasException.check(
                            cublasLt_h.cublasLtMatrixLayoutDestroy(raw), "cublasLtMatrixLayoutDestroy"));
            if (batch > 1) {
                matrix.setMatrix(cublasLt_h.CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT(), arena.allocateFrom(JAVA_INT, batch));
                matrix.setMatrix(
                        cublasLt_h.CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET(),
                        arena.allocateFrom(JAVA_LONG, operand.batchStride()));
            }
            return matrix;
        }
    }

    private void setMatrix(int attribute, MemorySegment value) {
        CublasException.check(
                cublasLt_h.cublasLtMatrixLayoutSetAttribute(handle(), attribute, value, value.byteSize()),
                "cublasLtMatrixLayoutSetAttribute",
                "attribute " + attribute);
    }

    /** Describes what an algorithm may use. */
    static CublasDescriptor preference(Device device, long workspaceBytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment made = arena.allocate(cublasLt_h.C_POINTER);
            CublasException.check(cublasLt_h.cublasLtMatmulPreferenceCreate(made), "cublasLtMatmulPreferenceCreate");
            CublasDescriptor preference = new CublasDescriptor(
                    device,
                    made.get(ADDRESS, 0),
                    raw -> CublasException.check(
                            cublasLt_h.cublasLtMatmulPreferenceDestroy(raw), "cublasLtMatmulPreferenceDestroy"));
            MemorySegment bytes = arena.allocateFrom(JAVA_LONG, workspaceBytes);
            CublasException.check(
                    cublasLt_h.cublasLtMatmulPreferenceSetAttribute(
                            preference.handle(),
                            cublasLt_h.CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES(),
                            bytes,
                            bytes.byteSize()),
                    "cublasLtMatmulPreferenceSetAttribute");
            return preference;
        }
    }

    private static int dataType(DType type) {
        return switch (type) {
            case F32 -> cublasLt_h.CUDA_R_32F();
            case F16 -> cublasLt_h.CUDA_R_16F();
            case BF16 -> cublasLt_h.CUDA_R_16BF();
            case E4M3 -> cublasLt_h.CUDA_R_8F_E4M3();
            case E5M2 -> cublasLt_h.CUDA_R_8F_E5M2();
            case E2M1, UE8M0, I32, I8 ->
                throw new IllegalArgumentException("no matrix products of " + type + " through cuBLASLt");
        };
    }
}
