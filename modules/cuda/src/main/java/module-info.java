/**
 * Devices: memory, streams, events, graphs, kernels, cuBLASLt, NVTX, the CUPTI tracer and samples of GPU metrics.
 *
 * <p>Knows tensors and traces, not models: no class here names an operator or a layer.
 */
@SuppressWarnings("module") // they are built after this module
module layerwise.cuda {
    requires layerwise.bindings;
    requires transitive layerwise.tensor;
    requires transitive layerwise.trace;
    requires com.fasterxml.jackson.databind;

    exports layerwise.cuda to
            layerwise.bench,
            layerwise.kernels;
    exports layerwise.cuda.cupti to
            layerwise.bench;
    exports layerwise.cuda.metrics to
            layerwise.bench;
}
