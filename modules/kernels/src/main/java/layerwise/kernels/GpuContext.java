package layerwise.kernels;

import layerwise.cuda.CublasLt;
import layerwise.cuda.CudaStream;
import layerwise.cuda.Device;
import layerwise.cuda.PeerGroup;

/**
 * What everything on one GPU shares.
 *
 * @param main      queue of the main lane
 * @param auxiliary queue of the auxiliary lane
 * @param links     what carries collectives
 */
record GpuContext(
        Device device,
        CudaStream main,
        CudaStream auxiliary,
        KernelLibrary kernels,
        CublasLt products,
        ProductTuner tuner,
        GpuLinks links) {
    /**
     * Waits for everything on this GPU; errors of kernels surface here, and other ranks that did not come.
     *
     * @throws layerwise.cuda.PeerException then
     */
    void synchronize() {
        links.nccl().ifPresent(nccl -> nccl.synchronize(main));
        device.synchronize();
        links.peers().ifPresent(PeerGroup::check);
    }
}
