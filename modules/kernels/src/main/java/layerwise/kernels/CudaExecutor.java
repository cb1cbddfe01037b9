package layerwise.kernels;

import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import layerwise.cuda.AlgorithmFile;
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
import layerwise.op.Replay;
import layerwise.op.Stopwatch;
import layerwise.op.TensorRef;

/** Runs operators on one GPU: kernels from CUBINs, dense products by cuBLASLt; activations in bfloat16. */
public final class CudaExecutor implements Executor {
    private final GpuContext gpu;
    private final Journal journal;

    private CudaExecutor(GpuContext gpu, Journal journal) {
        this.gpu = gpu;
        this.journal = journal;
    }

    /**
     * Opens a GPU for the calling thread.
     *
     * @param rendezvous the ranks of the run, which all open theirs at the same point
     * @param sharing      whether several of them may use this GPU
     * @throws layerwise.cuda.DeviceUnavailableException if there is none, or no kernels for it
     * @throws layerwise.tensor.ConfigException          if several ranks use it and may not, or the file of algorithms is damaged
     */
    public static CudaExecutor open(
            int ordinal, Journal journal, CudaOptions options, Rendezvous rendezvous, boolean sharing) {
        return open(ordinal, journal, options, device -> GpuLinks.join(device, rendezvous, sharing, options.carrier()));
    }

    /** Opens a GPU whose collectives go over given links. */
    static CudaExecutor open(int ordinal, Journal journal, CudaOptions options, Function<Device, GpuLinks> join) {
        Device device = Device.open(ordinal);
        try {
            KernelLibrary kernels = new KernelLibrary(device);
            CublasLt products = CublasLt.open(device);
            CudaStream main = device.createStream();
            Optional<AlgorithmFile> file = options.algorithms()
                    .map(path ->
                            AlgorithmFile.open(path, AlgorithmFile.key(device.info(), products, kernels.catalog())));
            ProductTuner tuner = new ProductTuner(device, main, options.tuning(), file);
            GpuLinks links = join.apply(device);
            GpuContext gpu = new GpuContext(
                    device, main, device.createStream(), kernels, products, tuner, links, options.syncEveryLaunch());
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
        return fused();
    }

    /** What this executor wants of programs, on any GPU. */
    public static Capabilities fused() {
        return new Capabilities(EnumSet.of(
                FusionRule.ADD_RMS_NORM,
                FusionRule.MLA_ROPE_APPEND,
                FusionRule.GATED_GROUPED_LINEAR,
                FusionRule.SWI_GLU_ROUND_ROWS));
    }

    @Override
    public Memory allocate() {
        return new CudaMemory(gpu, null);
    }

    @Override
    public Execution prepare(Program program, Memory memory) {
        return CudaExecution.prepare(gpu, program, CudaMemory.own(memory).nested(), journal);
    }

    /**
     * Prepares an exchange of equal parts by NCCL, for measuring links: no operator is one, since layers send tokens where
     * their experts are.
     *
     * @param x      {@code [R·T,H]}: rows of which rank r gets the r-th part
     * @param y      {@code [R·T,H]}: a part of each rank
     * @param memory holds both
     * @throws IllegalStateException if NCCL carries nothing here
     */
    public Execution prepareAllToAll(TensorRef x, TensorRef y, Memory memory) {
        return CudaExecution.prepareAllToAll(gpu, x, y, CudaMemory.own(memory).nested(), journal);
    }

    @Override
    public Replay capture(List<Execution> executions) {
        return CudaExecution.capture(
                gpu, executions.stream().map(CudaExecution.class::cast).toList());
    }

    @Override
    public OptionalLong cacheBytes() {
        return OptionalLong.of(gpu.device().info().l2Bytes());
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

    /** Closes the GPU and writes the file of algorithms, if there is one. */
    @Override
    public void close() {
        try {
            gpu.closeStaging();
            gpu.tuner().keep();
        } finally {
            gpu.device().close();
        }
    }
}
