package layerwise.bench.run;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import layerwise.cuda.Nvtx;
import layerwise.cuda.cupti.CuptiTracer;
import layerwise.cuda.cupti.TraceLoss;
import layerwise.kernels.CudaExecutor;
import layerwise.op.Executor;
import layerwise.tensor.ConfigException;
import layerwise.trace.TraceProcess;
import layerwise.trace.TraceRecorder;

/** Who records the second pass of a run. Opened before the device, since CUPTI must come first. */
sealed interface Tracer extends AutoCloseable {
    /** The right one for a run. */
    static Tracer open(Recording recording, boolean cuda, List<String> arguments) {
        TraceProcess process = TraceProcess.current("layerwise", arguments, "layerwise " + Version.current());
        return switch (recording.profiler()) {
            case NONE -> new None();
            case BUILTIN -> cuda ? new Cupti(CuptiTracer.start(process)) : new OwnClock(process);
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
        private Optional<TraceRecorder> recorder = Optional.empty();

        OwnClock(TraceProcess process) {
            this.process = process;
        }

        @Override
        public void begin(Executor executor, TraceJournal journal) {
            TraceRecorder started = TraceRecorder.start(process);
            recorder = Optional.of(started);
            journal.listen(new RecordedRanges(started));
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

        Cupti(CuptiTracer tracer) {
            this.tracer = tracer;
            tracer.pause();
        }

        @Override
        public void begin(Executor executor, TraceJournal journal) {
            tracer.resume();
            journal.listen(new RecordedRanges(tracer.recorder()));
        }

        @Override
        public void end(Executor executor, TraceJournal journal, Path file) {
            journal.ignore();
            if (!(executor instanceof CudaExecutor cuda)) {
                throw new IllegalStateException("CUPTI traces CUDA, not " + executor.device());
            }
            TraceLoss loss = tracer.flush(cuda.gpu());
            if (!loss.isComplete()) {
                System.getLogger("layerwise").log(System.Logger.Level.WARNING, "the trace is incomplete: {0}", loss);
            }
            tracer.recorder().write(file);
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
