/**
 * The executor on CUDA: operators become prepared launches of CUBIN kernels and cuBLASLt products.
 *
 * <p>Knows no model.
 */
@SuppressWarnings("module") // it is built after this module
module layerwise.kernels {
    requires transitive layerwise.op;
    requires transitive layerwise.cuda;

    exports layerwise.kernels to
            layerwise.bench;
}
