package layerwise.kernels;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import layerwise.cuda.CublasLt;
import layerwise.cuda.CudaStream;
import layerwise.cuda.Device;
import layerwise.cuda.DeviceException;
import layerwise.cuda.PeerGroup;
import layerwise.cuda.Staging;
import layerwise.op.Operator;
import layerwise.op.Program;

/** What everything on one GPU shares, and what it was given to do last. */
final class GpuContext {
    private final Device device;
    private final CudaStream main;
    private final CudaStream auxiliary;
    private final KernelLibrary kernels;
    private final CublasLt products;
    private final ProductTuner tuner;
    private final GpuLinks links;
    private final boolean syncEveryLaunch;
    private Optional<Staging> staging = Optional.empty();
    private Program last = Program.builder().build(List.of());

    /**
     * Opens it.
     *
     * @param main      queue of the main lane
     * @param auxiliary queue of the auxiliary lane
     * @param links     what carries collectives
     */
    GpuContext(
            Device device,
            CudaStream main,
            CudaStream auxiliary,
            KernelLibrary kernels,
            CublasLt products,
            ProductTuner tuner,
            GpuLinks links,
            boolean syncEveryLaunch) {
        this.device = device;
        this.main = main;
        this.auxiliary = auxiliary;
        this.kernels = kernels;
        this.products = products;
        this.tuner = tuner;
        this.links = links;
        this.syncEveryLaunch = syncEveryLaunch;
    }

    Device device() {
        return device;
    }

    CudaStream main() {
        return main;
    }

    CudaStream auxiliary() {
        return auxiliary;
    }

    KernelLibrary kernels() {
        return kernels;
    }

    CublasLt products() {
        return products;
    }

    ProductTuner tuner() {
        return tuner;
    }

    GpuLinks links() {
        return links;
    }

    boolean syncEveryLaunch() {
        return syncEveryLaunch;
    }

    /** What large buffers are uploaded through; opened when the first of them comes. */
    Staging staging() {
        if (staging.isEmpty()) {
            staging = Optional.of(Staging.open(device, main));
        }
        return staging.get();
    }

    /** Ends the threads that upload. */
    void closeStaging() {
        staging.ifPresent(Staging::close);
        staging = Optional.empty();
    }

    /** Notes what is about to be enqueued, should it fail. */
    void enqueues(Program program) {
        last = program;
    }

    /**
     * Waits for everything on this GPU; errors of kernels surface here, and other ranks that did not come.
     *
     * @throws OperatorException            if an operator failed
     * @throws layerwise.cuda.PeerException if a rank did not come
     */
    void synchronize() {
        links.nccl().ifPresent(nccl -> nccl.synchronize(main));
        try {
            device.synchronize();
        } catch (DeviceException e) {
            throw OperatorException.among(
                    last.operators().stream().map(Operator::name).distinct().collect(Collectors.joining(", ")), e);
        }
        links.peers().ifPresent(PeerGroup::check);
    }
}
