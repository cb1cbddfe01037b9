/**
 * Bindings: what jextract makes of the headers of CUDA and MPI, one package a library.
 *
 * <p>Holds no hand-written class; {@code native-headers/generate.sh} makes all of them.
 */
module layerwise.bindings {
    exports layerwise.bindings.cublas to
            layerwise.cuda;
    exports layerwise.bindings.cublasLt to
            layerwise.cuda;
    exports layerwise.bindings.cudart to
            layerwise.cuda;
    exports layerwise.bindings.cupti to
            layerwise.cuda;
    exports layerwise.bindings.mpi to
            layerwise.mpi;
    exports layerwise.bindings.nccl to
            layerwise.cuda;
    exports layerwise.bindings.nvml to
            layerwise.cuda;
    exports layerwise.bindings.nvtx to
            layerwise.cuda;
}
