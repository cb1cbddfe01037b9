package layerwise.cuda.cupti;

import java.lang.StackWalker.StackFrame;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import layerwise.bindings.cupti.CUpti_CallbackData;
import layerwise.bindings.cupti.cupti_h;
import layerwise.trace.TraceRecorder;

/**
 * The Java frames of each launch: CUPTI calls back as an API call begins, on the calling thread, whose frames continue
 * below the native ones.
 */
final class CallChainLog {
    private record Event(int correlationId, List<StackFrame> frames) {}

    /** Calls that put work on the GPU, of the runtime and, since cuBLASLt launches through it, of the driver. */
    static final List<Integer> RUNTIME_CALLS = List.of(
            cupti_h.CUPTI_RUNTIME_TRACE_CBID_cudaLaunchKernel_v7000(),
            cupti_h.CUPTI_RUNTIME_TRACE_CBID_cudaLaunchKernelExC_v11060(),
            cupti_h.CUPTI_RUNTIME_TRACE_CBID_cudaGraphLaunch_v10000(),
            cupti_h.CUPTI_RUNTIME_TRACE_CBID_cudaMemcpyAsync_v3020(),
            cupti_h.CUPTI_RUNTIME_TRACE_CBID_cudaMemsetAsync_v3020());

    static final List<Integer> DRIVER_CALLS = List.of(
            cupti_h.CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel(), cupti_h.CUPTI_DRIVER_TRACE_CBID_cuLaunchKernelEx());

    private static final int ENTER = cupti_h.CUPTI_API_ENTER();
    private static final StackWalker WALKER = StackWalker.getInstance();
    private static final int DEPTH = 64;
    private static final Set<String> OWN = Set.of(CallChainLog.class.getName(), CuptiTracer.class.getName());

    private final Queue<Event> events = new ConcurrentLinkedQueue<>();
    private final Map<Integer, Integer> chains = new HashMap<>();
    private final AtomicLong failures = new AtomicLong();

    /** The callback: {@code (const CUpti_CallbackData *)} of a call that was asked for. */
    void callback(MemorySegment data) {
        try {
            if (CUpti_CallbackData.callbackSite(data) == ENTER) {
                add(CUpti_CallbackData.correlationId(data));
            }
        } catch (Throwable t) { // what escapes an upcall ends the process
            failures.incrementAndGet();
        }
    }

    /** Notes the calling thread's frames for a call. */
    void add(int correlationId) {
        events.add(new Event(
                correlationId,
                WALKER.walk(frames -> frames.dropWhile(frame -> OWN.contains(frame.getClassName()))
                        .limit(DEPTH)
                        .toList())));
    }

    /**
     * The call chain behind a correlation id as the recorder numbers it, 0 if there is none; for one thread at a time.
     *
     * <p>A runtime call and the driver's call inside it share the id and the frames; the first is taken.
     */
    int chain(int correlationId, TraceRecorder recorder) {
        for (Event event = events.poll(); event != null; event = events.poll()) {
            int chain = recorder.callChain(
                    event.frames().stream().map(StackFrame::toStackTraceElement).toList());
            chains.putIfAbsent(event.correlationId(), chain);
        }
        return chains.getOrDefault(correlationId, 0);
    }

    /** Callbacks whose frames were lost. */
    long failures() {
        return failures.get();
    }
}
