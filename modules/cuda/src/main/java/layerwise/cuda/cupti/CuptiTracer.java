package layerwise.cuda.cupti;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import layerwise.bindings.cupti.CUpti_BuffersCallbackCompleteFunc;
import layerwise.bindings.cupti.CUpti_BuffersCallbackRequestFunc;
import layerwise.bindings.cupti.CUpti_CallbackFunc;
import layerwise.bindings.cupti.cupti_h;
import layerwise.cuda.CudaLibrary;
import layerwise.cuda.CuptiException;
import layerwise.cuda.Device;
import layerwise.cuda.DeviceInfo;
import layerwise.cuda.DeviceUnavailableException;
import layerwise.cuda.Libraries;
import layerwise.trace.TraceProcess;
import layerwise.trace.TraceRecorder;

/**
 * Traces this process from within: kernels, copies and sets, CUDA calls, and which graph node came from which captured
 * call. Ranges are pushed on its {@link #recorder}.
 *
 * <p>Start it before the device is opened where possible, and only once in a process; {@link #pause} while nothing is to
 * be recorded. Call {@link #flush} at the end of each problem, then write the recorder's file.
 *
 * <p>CUPTI serves one client a process. Under Nsight Systems, Nsight Compute, cuda-gdb or compute-sanitizer there is
 * none to be had.
 */
public final class CuptiTracer implements AutoCloseable {
    /** Whether each launch is recorded with the Java frames that made it, which takes microseconds a launch. */
    public enum Backtraces {
        OFF,
        ON
    }

    private static final int FORCED = cupti_h.CUPTI_ACTIVITY_FLAG_FLUSH_FORCED();
    private static final List<Integer> KINDS = List.of(
            cupti_h.CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL(),
            cupti_h.CUPTI_ACTIVITY_KIND_MEMCPY(),
            cupti_h.CUPTI_ACTIVITY_KIND_MEMCPY2(),
            cupti_h.CUPTI_ACTIVITY_KIND_MEMSET(),
            cupti_h.CUPTI_ACTIVITY_KIND_RUNTIME(),
            // Whole, since cuBLASLt launches through the driver: single calls of it, enabled alone, left no records.
            cupti_h.CUPTI_ACTIVITY_KIND_DRIVER(),
            cupti_h.CUPTI_ACTIVITY_KIND_CONTEXT(),
            cupti_h.CUPTI_ACTIVITY_KIND_STREAM());

    private final TraceRecorder recorder;
    private final ActivityDecoder decoder;
    private final GraphNodeLog graphNodes = new GraphNodeLog();
    private final CallChainLog callChains = new CallChainLog();
    private final Backtraces backtraces;
    private final ActivityBuffers buffers;
    private final Thread reader;
    // Guards decoder and recorder between the reader and flush; no upcall takes it.
    private final ReentrantLock decoding = new ReentrantLock();
    private MemorySegment subscriber = MemorySegment.NULL;
    private volatile boolean open = true;
    private boolean recording;
    private long dropped;

    private CuptiTracer(TraceProcess process, Backtraces backtraces) {
        this.backtraces = backtraces;
        this.recorder = TraceRecorder.start(process, EpochClock::nanos);
        this.decoder = new ActivityDecoder(
                recorder, CallNames.ofCupti(), correlation -> callChains.chain(correlation, recorder));
        this.reader = Thread.ofPlatform().daemon().name("cupti-reader").unstarted(this::readWhileOpen);
        // Stubs and buffers outlive CUPTI, whose own thread may call late.
        this.buffers = new ActivityBuffers(Arena.global(), () -> LockSupport.unpark(reader));
    }

    /**
     * Starts tracing, with recording on.
     *
     * @throws DeviceUnavailableException if CUPTI is missing, has another client, or there is no driver
     */
    public static CuptiTracer start(TraceProcess process, Backtraces backtraces) {
        Libraries.require(CudaLibrary.CUPTI);
        List<DeviceInfo> devices = DeviceInfo.all();
        CuptiTracer tracer = new CuptiTracer(process, backtraces);
        devices.forEach(device -> tracer.recorder.gpu(device.traced()));
        tracer.subscribe();
        try {
            tracer.register();
            tracer.resume();
        } catch (RuntimeException e) {
            cupti_h.cuptiUnsubscribe(tracer.subscriber); // or no later client could have it
            throw e;
        }
        tracer.nameThread();
        tracer.reader.start();
        return tracer;
    }

    private void subscribe() {
        Arena forever = Arena.global();
        MemorySegment callback = CUpti_CallbackFunc.allocate(this::callback, forever);
        MemorySegment handle = forever.allocate(cupti_h.C_POINTER);
        int status = cupti_h.cuptiSubscribe(handle, callback, MemorySegment.NULL);
        if (status == cupti_h.CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED()) {
            throw new DeviceUnavailableException("CUPTI already has a client in this process (nsys, ncu, cuda-gdb or"
                    + " compute-sanitizer): run without it, or without the built-in tracer");
        }
        CuptiException.check(status, "cuptiSubscribe");
        subscriber = handle.get(ValueLayout.ADDRESS, 0);
    }

    private void register() {
        Arena forever = Arena.global();
        CuptiException.check(
                cupti_h.cuptiSetThreadIdType(cupti_h.CUPTI_ACTIVITY_THREAD_ID_TYPE_SYSTEM()), "cuptiSetThreadIdType");
        CuptiException.check(
                cupti_h.cuptiActivityRegisterCallbacks(
                        CUpti_BuffersCallbackRequestFunc.allocate(buffers::request, forever),
                        CUpti_BuffersCallbackCompleteFunc.allocate(buffers::complete, forever)),
                "cuptiActivityRegisterCallbacks");
        for (int id : List.of(
                cupti_h.CUPTI_CBID_RESOURCE_GRAPHNODE_CREATED(), cupti_h.CUPTI_CBID_RESOURCE_GRAPHNODE_CLONED())) {
            enableCallback(true, cupti_h.CUPTI_CB_DOMAIN_RESOURCE(), id);
        }
    }

    /** The callback: {@code (userdata, domain, id, data)}, the data's type being the domain's. */
    private void callback(MemorySegment userdata, int domain, int id, MemorySegment data) {
        if (domain == cupti_h.CUPTI_CB_DOMAIN_RESOURCE()) {
            graphNodes.callback(id, data);
        } else {
            callChains.callback(data);
        }
    }

    private void followLaunches(boolean follow) {
        if (backtraces == Backtraces.ON) {
            for (int id : CallChainLog.RUNTIME_CALLS) {
                enableCallback(follow, cupti_h.CUPTI_CB_DOMAIN_RUNTIME_API(), id);
            }
            for (int id : CallChainLog.DRIVER_CALLS) {
                enableCallback(follow, cupti_h.CUPTI_CB_DOMAIN_DRIVER_API(), id);
            }
        }
    }

    private void enableCallback(boolean enable, int domain, int id) {
        CuptiException.check(
                cupti_h.cuptiEnableCallback(enable ? 1 : 0, subscriber, domain, id), "cuptiEnableCallback");
    }

    /** The recording, whose clock is CUPTI's. Between {@link #flush} calls only its ranges and marks may be used. */
    public TraceRecorder recorder() {
        return recorder;
    }

    /** Ties the calling thread's ranges to its CUDA calls; for each thread that pushes ranges. The starter is tied. */
    public void nameThread() {
        recorder.nameThread(OsThread.id());
    }

    /** Records again after {@link #pause}. */
    public void resume() {
        if (!recording) {
            for (int kind : KINDS) {
                CuptiException.check(cupti_h.cuptiActivityEnable(kind), "cuptiActivityEnable");
            }
            followLaunches(true);
            recording = true;
        }
    }

    /** Records no activity until {@link #resume}; graph nodes are still followed, so graphs may be captured. */
    public void pause() {
        if (recording) {
            followLaunches(false);
            for (int kind : KINDS) {
                CuptiException.check(cupti_h.cuptiActivityDisable(kind), "cuptiActivityDisable");
            }
            recording = false;
        }
    }

    /**
     * Waits for the device and moves everything recorded so far into the recorder, which then may be written.
     *
     * @return what is missing since the start
     */
    public TraceLoss flush(Device device) {
        device.synchronize();
        CuptiException.check(cupti_h.cuptiActivityFlushAll(FORCED), "cuptiActivityFlushAll");
        decoding.lock();
        try {
            drain();
            decoder.settle();
            graphNodes.drainTo(recorder);
            dropped += dropped();
            long lostCallbacks = graphNodes.failures() + callChains.failures();
            return new TraceLoss(dropped, buffers.refusals(), decoder.withoutTime(), lostCallbacks);
        } finally {
            decoding.unlock();
        }
    }

    private static long dropped() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(ValueLayout.JAVA_LONG);
            CuptiException.check(
                    cupti_h.cuptiActivityGetNumDroppedRecords(MemorySegment.NULL, 0, count),
                    "cuptiActivityGetNumDroppedRecords");
            return count.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    private void readWhileOpen() {
        while (open) {
            LockSupport.park(this);
            decoding.lock();
            try {
                drain();
            } finally {
                decoding.unlock();
            }
        }
    }

    private void drain() {
        buffers.drain(this::decode);
    }

    private void decode(MemorySegment buffer) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment next = arena.allocate(cupti_h.C_POINTER);
            int status = cupti_h.cuptiActivityGetNextRecord(buffer, buffer.byteSize(), next);
            while (status == 0) {
                decoder.decode(next.get(cupti_h.C_POINTER, 0));
                status = cupti_h.cuptiActivityGetNextRecord(buffer, buffer.byteSize(), next);
            }
            if (status != cupti_h.CUPTI_ERROR_MAX_LIMIT_REACHED()) { // which is the end of the buffer
                CuptiException.check(status, "cuptiActivityGetNextRecord");
            }
        }
    }

    /** Stops tracing; what was not flushed is lost. */
    @Override
    public void close() {
        if (open) {
            pause();
            CuptiException.check(cupti_h.cuptiUnsubscribe(subscriber), "cuptiUnsubscribe");
            open = false;
            LockSupport.unpark(reader);
        }
    }
}
