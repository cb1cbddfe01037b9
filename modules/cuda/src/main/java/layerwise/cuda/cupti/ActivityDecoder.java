package layerwise.cuda.cupti;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.IntUnaryOperator;
import layerwise.bindings.cupti.CUpti_ActivityAPI;
import layerwise.bindings.cupti.CUpti_ActivityContext3;
import layerwise.bindings.cupti.CUpti_ActivityKernel10;
import layerwise.bindings.cupti.CUpti_ActivityStream;
import layerwise.bindings.cupti.cupti_h;
import layerwise.trace.CopyActivity;
import layerwise.trace.FillActivity;
import layerwise.trace.KernelActivity;
import layerwise.trace.TraceRecorder;

/**
 * CUPTI's activity records as rows of a trace; for one thread at a time.
 *
 * <p>What a record says about an execution is {@link ActivityFields}' business; this class knows the recorder.
 */
final class ActivityDecoder {
    private static final int KERNEL = cupti_h.CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL();
    private static final int COPY = cupti_h.CUPTI_ACTIVITY_KIND_MEMCPY();
    private static final int PEER_COPY = cupti_h.CUPTI_ACTIVITY_KIND_MEMCPY2();
    private static final int FILL = cupti_h.CUPTI_ACTIVITY_KIND_MEMSET();
    private static final int RUNTIME_CALL = cupti_h.CUPTI_ACTIVITY_KIND_RUNTIME();
    private static final int DRIVER_CALL = cupti_h.CUPTI_ACTIVITY_KIND_DRIVER();
    private static final int CONTEXT = cupti_h.CUPTI_ACTIVITY_KIND_CONTEXT();
    private static final int STREAM = cupti_h.CUPTI_ACTIVITY_KIND_STREAM();
    private static final int NULL_STREAM_FLAG = 3; // TARGET_INFO_CUDA_STREAM.flag

    private final TraceRecorder recorder;
    private final KernelNames kernelNames;
    private final CallNames callNames;
    private final IntUnaryOperator callChains;
    private final DriverCalls driverCalls = new DriverCalls();
    private final KernelActivity kernel = new KernelActivity();
    private final CopyActivity copy = new CopyActivity();
    private final FillActivity fill = new FillActivity();
    private long withoutTime;

    /**
     * Decodes into a recorder.
     *
     * @param callChains the recorder's call chain behind a correlation id, 0 for none
     */
    ActivityDecoder(TraceRecorder recorder, CallNames callNames, IntUnaryOperator callChains) {
        this.recorder = recorder;
        this.callChains = callChains;
        this.kernelNames = new KernelNames(recorder);
        this.callNames = callNames;
    }

    /** Adds one record's row; a kind that no table has is passed over. */
    void decode(MemorySegment activity) {
        int kind = activity.get(ValueLayout.JAVA_INT, 0);
        if (kind == KERNEL) {
            kernel(activity);
        } else if (kind == RUNTIME_CALL || kind == DRIVER_CALL) {
            call(activity, kind == DRIVER_CALL);
        } else if (kind == COPY) {
            ActivityFields.read(activity, copy);
            copy();
        } else if (kind == PEER_COPY) {
            ActivityFields.readPeer(activity, copy);
            copy();
        } else if (kind == FILL) {
            fill(activity);
        } else if (kind == STREAM) {
            recorder.stream(
                    CUpti_ActivityStream.streamId(activity),
                    CUpti_ActivityStream.contextId(activity),
                    CUpti_ActivityStream.priority(activity),
                    CUpti_ActivityStream.flag(activity));
        } else if (kind == CONTEXT) {
            recorder.stream(
                    CUpti_ActivityContext3.nullStreamId(activity),
                    CUpti_ActivityContext3.contextId(activity),
                    0,
                    NULL_STREAM_FLAG);
        }
    }

    /** Adds the rows that had to wait for others; call when all records of a stretch of work have been decoded. */
    void settle() {
        driverCalls.settle((callbackId, threadId, correlationId, start, end, returnValue) -> recorder.call(
                true,
                recorder.string(callNames.name(true, callbackId)),
                threadId,
                correlationId,
                start,
                end,
                returnValue,
                callChains.applyAsInt((int) correlationId)));
        kernelNames.forgetAddresses();
    }

    /** Kernels, copies and sets whose times CUPTI lost; they have no rows. */
    long withoutTime() {
        return withoutTime;
    }

    private void kernel(MemorySegment activity) {
        ActivityFields.read(activity, kernel);
        if (hasTime(kernel.start, kernel.end)) {
            kernel.start = recorder.sinceStart(kernel.start);
            kernel.end = recorder.sinceStart(kernel.end);
            kernelNames.setNames(kernel, CUpti_ActivityKernel10.name(activity));
            recorder.kernel(kernel);
        }
    }

    private void copy() {
        if (hasTime(copy.start, copy.end)) {
            copy.start = recorder.sinceStart(copy.start);
            copy.end = recorder.sinceStart(copy.end);
            recorder.copy(copy);
        }
    }

    private void fill(MemorySegment activity) {
        ActivityFields.read(activity, fill);
        if (hasTime(fill.start, fill.end)) {
            fill.start = recorder.sinceStart(fill.start);
            fill.end = recorder.sinceStart(fill.end);
            recorder.fill(fill);
        }
    }

    private void call(MemorySegment activity, boolean driver) {
        int callbackId = CUpti_ActivityAPI.cbid(activity);
        int threadId = CUpti_ActivityAPI.threadId(activity);
        int correlationId = CUpti_ActivityAPI.correlationId(activity);
        long start = recorder.sinceStart(CUpti_ActivityAPI.start(activity));
        long end = recorder.sinceStart(CUpti_ActivityAPI.end(activity));
        int returnValue = CUpti_ActivityAPI.returnValue(activity);
        if (driver) {
            driverCalls.add(callbackId, threadId, correlationId, start, end, returnValue);
        } else {
            driverCalls.runtimeCall(correlationId);
            int name = recorder.string(callNames.name(false, callbackId));
            int chain = callChains.applyAsInt(correlationId);
            recorder.call(false, name, threadId, Integer.toUnsignedLong(correlationId), start, end, returnValue, chain);
        }
    }

    private boolean hasTime(long start, long end) {
        if (start == 0 || end == 0) {
            withoutTime++;
            return false;
        }
        return true;
    }
}
