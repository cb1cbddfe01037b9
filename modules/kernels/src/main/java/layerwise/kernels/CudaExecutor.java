package layerwise.kernels;

import java.util.EnumSet;
import java.util.List;
import layerwise.cuda.CublasLt;
import layerwise.cuda.CudaEvent;
import layerwise.cuda.CudaStream;
import layerwise.cuda.Device;
import layerwise.cuda.PeerGroup;
import layerwise.op.Capabilities;
import layerwise.op.Execution;
import layerwise.op.Executor;
import layerwise.op.FusionRule;
import layerwise.op.Journal;
import layerwise.op.Memory;
import layerwise.op.Program;
import layerwise.op.Rendezvous;
import layerwise.op.Stopwatch;

/** Runs operators on one GPU: kernels from CUBINs, dense products by cuBLASLt; activations in bfloat16. */
public final class CudaExecutor implements Executor {
    private final GpuContext gpu;
    private final Journal journal;

    private CudaExecutor(GpuContext gpu, Journal journal) {
        this.gpu = gpu;
        this.journal = journal;
    }

    /** Whether products are tried out when they are prepared. */
    public enum Tuning {
        /** The library's first suggestion is taken. */
        OFF,
        /** Its first suggestions are timed, on the operands where they lie; outputs are overwritten meanwhile. */
        ON
    }

    /**
     * Opens a GPU for the calling thread.
     *
     * @param rendezvous the ranks of the run, which all open theirs at the same point
     * @param sharing      whether several of them may use this GPU
     * @throws layerwise.cuda.DeviceUnavailableException if there is none, or no kernels for it
     * @throws layerwise.tensor.ConfigException          if several ranks use it and may not
     */
    public static CudaExecutor open(
            int ordinal, Journal journal, Tuning tuning, Rendezvous rendezvous, boolean sharing) {
        Device device = Device.open(ordinal);
        try {
            KernelLibrary kernels = new KernelLibrary(device);
            CudaStream main = device.createStream();
            ProductTuner tuner = new ProductTuner(device, main, tuning);
            GpuLinks links = GpuLinks.join(device, rendezvous, sharing);
            GpuContext gpu =
                    new GpuContext(device, main, device.createStream(), kernels, CublasLt.open(device), tuner, links);
            return new CudaExecutor(gpu, journal);
        } catch (RuntimeException | Error e) {
            device.close();
            throw e;
        }
    }

    /** The GPU, for tracers. */
    public Device gpu() {
        return gpu.device();
    }

    @Override
    public String device() {
        return gpu.device().info().name();
    }

    @Override
    public Capabilities capabilities() {
        return new Capabilities(
                EnumSet.of(FusionRule.ADD_RMS_NORM, FusionRule.MLA_ROPE_APPEND, FusionRule.GATED_GROUPED_LINEAR));
    }

    @Override
    public Memory allocate() {
        return new CudaMemory(gpu, null);
    }

    @Override
    public Execution prepare(Program program, Memory memory) {
        if (memory instanceof CudaMemory own) {
            return CudaExecution.prepare(gpu, program, own.nested(), journal);
        }
        throw new IllegalArgumentException("a memory of another executor");
    }

    @Override
    public Stopwatch stopwatch(int marks) {
        CudaEvent[] events = new CudaEvent[marks];
        for (int i = 0; i < marks; i++) {
            events[i] = gpu.device().createTimer();
            gpu.main().record(events[i]);
        }
        return new Stopwatch() {
            @Override
            public void mark(int index) {
                gpu.main().record(events[index]);
            }

            @Override
            public double micros(int from, int to) {
                return events[to].microsSince(events[from]);
            }

            @Override
            public void close() {
                for (CudaEvent event : events) {
                    event.close();
                }
            }
        };
    }

    @Override
    public List<String> notes() {
        CarrierRule rule = gpu.links().rule();
        return rule.ranks() == 1 ? List.of() : List.of("collectives of " + rule.describe());
    }

    @Override
    public void synchronize() {
        gpu.synchronize();
    }

    @Override
    public void leave() {
        gpu.links().peers().ifPresent(PeerGroup::leave);
    }

    @Override
    public void close() {
        gpu.device().close();
    }
}
