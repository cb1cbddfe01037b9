package layerwise.bench.run;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import layerwise.cuda.Device;
import layerwise.cuda.Nvtx;
import layerwise.cuda.cupti.CuptiTracer;
import layerwise.cuda.cupti.TraceLoss;
import layerwise.cuda.metrics.GpuSampler;
import layerwise.kernels.CudaExecutor;
import layerwise.op.Executor;
import layerwise.tensor.ConfigException;
import layerwise.trace.TraceProcess;
import layerwise.trace.TraceRecorder;

/** Who records the second pass of a run. Opened before the device, since CUPTI must come first. */
sealed interface Tracer extends AutoCloseable {
    System.Logger LOG = System.getLogger("layerwise");

    /** The right one for a run. */
    static Tracer open(Recording recording, boolean cuda, List<String> arguments) {
        TraceProcess process = TraceProcess.current("layerwise", arguments, "layerwise " + Version.current());
        return switch (recording.profiler()) {
            case NONE -> new None();
            case BUILTIN -> cuda ? cupti(process, recording.extras()) : ownClock(process, recording.extras());
            case NSYS -> {
                if (!cuda) {
                    throw new ConfigException("environment: PROFILER=nsys: expected builtin for a run without a GPU");
                }
                Nvtx nvtx = Nvtx.load()
                        .orElseThrow(
                                () -> new ConfigException(
                                        "environment: PROFILER=nsys: libnvtx3interop is missing,"
                                                + " so nsys would see no ranges; expected it in the CUDA toolkit, or PROFILER=builtin"));
                yield new Nsys(nvtx);
            }
        };
    }

    private static Tracer cupti(TraceProcess process, Set<Recording.Extra> extras) {
        CuptiTracer.Backtraces backtraces =
                extras.contains(Recording.Extra.BACKTRACE) ? CuptiTracer.Backtraces.ON : CuptiTracer.Backtraces.OFF;
        return new Cupti(CuptiTracer.start(process, backtraces), extras.contains(Recording.Extra.GPU_METRICS));
    }

    private static Tracer ownClock(TraceProcess process, Set<Recording.Extra> extras) {
        if (extras.contains(Recording.Extra.GPU_METRICS)) {
            throw new ConfigException("environment: GPU_METRICS=1: expected 0 for a run without a GPU");
        }
        return new OwnClock(process, extras.contains(Recording.Extra.BACKTRACE));
    }

    /** Begins to record: what happens from now on reaches the journal's listener. */
    void begin(Executor executor, TraceJournal journal);

    /** Ends recording and writes the trace, where it is this process that writes it. */
    void end(Executor executor, TraceJournal journal, Path file);

    @Override
    default void close() {}

    /** Nobody records. */
    record None() implements Tracer {
        @Override
        public void begin(Executor executor, TraceJournal journal) {}

        @Override
        public void end(Executor executor, TraceJournal journal, Path file) {}
    }

    /** The executor's own clock. */
    final class OwnClock implements Tracer {
        private final TraceProcess process;
        private final boolean backtrace;
        private Optional<TraceRecorder> recorder = Optional.empty();

        OwnClock(TraceProcess process, boolean backtrace) {
            this.process = process;
            this.backtrace = backtrace;
        }

        @Override
        public void begin(Executor executor, TraceJournal journal) {
            TraceRecorder started = TraceRecorder.start(process);
            recorder = Optional.of(started);
            journal.listen(new RecordedRanges(started, backtrace));
        }

        @Override
        public void end(Executor executor, TraceJournal journal, Path file) {
            journal.ignore();
            TraceRecorder started = recorder.orElseThrow();
            started.captureFact("DEVICE", executor.device());
            started.write(file);
        }
    }

    /** CUPTI, in this process. */
    final class Cupti implements Tracer {
        private final CuptiTracer tracer;
        private final boolean gpuMetrics;
        private Optional<GpuSampler> sampler = Optional.empty();

        Cupti(CuptiTracer tracer, boolean gpuMetrics) {
            this.tracer = tracer;
            this.gpuMetrics = gpuMetrics;
            tracer.pause();
        }

        @Override
        public void begin(Executor executor, TraceJournal journal) {
            if (gpuMetrics) {
                sampler = Optional.of(GpuSampler.start(gpu(executor).info(), tracer.recorder()));
            }
            tracer.resume();
            // The frames come from CUPTI, which sees every launch.
            journal.listen(new RecordedRanges(tracer.recorder(), false));
        }

        @Override
        public void end(Executor executor, TraceJournal journal, Path file) {
            journal.ignore();
            TraceLoss loss = tracer.flush(gpu(executor));
            if (!loss.isComplete()) {
                LOG.log(System.Logger.Level.WARNING, "the trace is incomplete: {0}", loss);
            }
            sampler.ifPresent(this::finish);
            tracer.recorder().write(file);
        }

        private void finish(GpuSampler samples) {
            for (String absence : samples.stop()) {
                LOG.log(System.Logger.Level.WARNING, "not sampled: {0}", absence);
                tracer.recorder().gpuMetricsAbsent(absence);
            }
        }

        private static Device gpu(Executor executor) {
            if (executor instanceof CudaExecutor cuda) {
                return cuda.gpu();
            }
            throw new IllegalStateException("CUPTI traces CUDA, not " + executor.device());
        }

        @Override
        public void close() {
            tracer.close();
        }
    }

    /** nsys around the process: it collects between the profiler calls and sees ranges through NVTX. */
    final class Nsys implements Tracer {
        private final Nvtx nvtx;

        Nsys(Nvtx nvtx) {
            this.nvtx = nvtx;
        }

        @Override
        public void begin(Executor executor, TraceJournal journal) {
            if (executor instanceof CudaExecutor cuda) {
                cuda.gpu().startCollection();
            }
            journal.listen(new NvtxRanges(nvtx));
        }

        @Override
        public void end(Executor executor, TraceJournal journal, Path file) {
            journal.ignore();
            executor.synchronize();
            if (executor instanceof CudaExecutor cuda) {
                cuda.gpu().stopCollection();
            }
        }
    }
}
