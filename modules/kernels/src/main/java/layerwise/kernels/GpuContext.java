package layerwise.kernels;

import layerwise.cuda.CublasLt;
import layerwise.cuda.CudaStream;
import layerwise.cuda.Device;

/**
 * What everything on one GPU shares.
 *
 * @param main      queue of the main lane
 * @param auxiliary queue of the auxiliary lane
 */
record GpuContext(
        Device device,
        CudaStream main,
        CudaStream auxiliary,
        KernelLibrary kernels,
        CublasLt products,
        ProductTuner tuner) {}
