package layerwise.cuda.metrics;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import layerwise.bindings.cupti.CUpti_Device_GetChipName_Params;
import layerwise.bindings.cupti.CUpti_PmSampling_CounterDataImage_Initialize_Params;
import layerwise.bindings.cupti.CUpti_PmSampling_CounterData_GetSampleInfo_Params;
import layerwise.bindings.cupti.CUpti_PmSampling_DecodeData_Params;
import layerwise.bindings.cupti.CUpti_PmSampling_Disable_Params;
import layerwise.bindings.cupti.CUpti_PmSampling_Enable_Params;
import layerwise.bindings.cupti.CUpti_PmSampling_GetCounterDataInfo_Params;
import layerwise.bindings.cupti.CUpti_PmSampling_GetCounterDataSize_Params;
import layerwise.bindings.cupti.CUpti_PmSampling_SetConfig_Params;
import layerwise.bindings.cupti.CUpti_PmSampling_Start_Params;
import layerwise.bindings.cupti.CUpti_PmSampling_Stop_Params;
import layerwise.bindings.cupti.CUpti_Profiler_Initialize_Params;
import layerwise.bindings.cupti.cupti_h;
import layerwise.cuda.CudaLibrary;
import layerwise.cuda.CuptiException;
import layerwise.cuda.DeviceUnavailableException;
import layerwise.cuda.Libraries;

/**
 * Samples one GPU's performance counters through CUPTI: how busy its multiprocessors, tensor cores and memory are; for
 * the thread that opened it.
 *
 * <p>The GPU itself takes a sample every {@link #PERIOD_NANOS}, without a part of the host; {@link #read} fetches what has
 * come together. Drivers let only administrators do this unless they are told otherwise.
 */
final class CounterReader implements AutoCloseable {
    /** Nsight Systems' default of 10 kHz. */
    static final long PERIOD_NANOS = 100_000;

    private static final long HARDWARE_BUFFER_BYTES = 128L << 20;
    private static final int SAMPLES_A_READ = 1024; // each takes 16 KiB of the image, which every read clears

    /** cupti_pmsampling.h: up to and with the last field, which padding follows. */
    private static final long DECODE_BYTES = CUpti_PmSampling_DecodeData_Params.overflow$offset() + 1;

    /** Receives one sample. */
    @FunctionalInterface
    interface Sink {
        /**
         * Takes a value.
         *
         * @param epochNanos end of the sampled interval, nanoseconds since 1970
         */
        void add(Metric metric, long epochNanos, long value);
    }

    private final Arena arena = Arena.ofConfined();
    private final CounterMetrics metrics;
    private final MemorySegment sampling;
    private MemorySegment image = MemorySegment.NULL;
    private boolean first = true;
    private final MemorySegment decode = CUpti_PmSampling_DecodeData_Params.allocate(arena);
    private final MemorySegment info = CUpti_PmSampling_GetCounterDataInfo_Params.allocate(arena);
    private final MemorySegment sample = CUpti_PmSampling_CounterData_GetSampleInfo_Params.allocate(arena);

    private CounterReader(CounterMetrics metrics, MemorySegment sampling) {
        this.metrics = metrics;
        this.sampling = sampling;
    }

    /**
     * Opens a GPU and starts sampling it.
     *
     * @param device its CUDA ordinal
     * @throws DeviceUnavailableException if CUPTI is missing or the driver does not allow it
     */
    static CounterReader open(int device) {
        Libraries.require(CudaLibrary.CUPTI);
        try (Arena arena = Arena.ofConfined()) {
            initialize(arena);
            CounterReader reader = enable(arena, device, CounterMetrics.of(chip(arena, device)));
            try {
                reader.configure();
                reader.makeImage();
                reader.start();
                return reader;
            } catch (CuptiException e) {
                try (reader) {
                    throw e;
                }
            }
        }
    }

    private static void initialize(Arena arena) {
        MemorySegment params = CUpti_Profiler_Initialize_Params.allocate(arena);
        CUpti_Profiler_Initialize_Params.structSize(params, params.byteSize());
        CuptiException.check(cupti_h.cuptiProfilerInitialize(params), "cuptiProfilerInitialize");
    }

    private static String chip(Arena arena, int device) {
        MemorySegment params = CUpti_Device_GetChipName_Params.allocate(arena);
        CUpti_Device_GetChipName_Params.structSize(params, params.byteSize());
        CUpti_Device_GetChipName_Params.deviceIndex(params, device);
        CuptiException.check(cupti_h.cuptiDeviceGetChipName(params), "cuptiDeviceGetChipName");
        return CUpti_Device_GetChipName_Params.pChipName(params).getString(0);
    }

    private static CounterReader enable(Arena arena, int device, CounterMetrics metrics) {
        MemorySegment params = CUpti_PmSampling_Enable_Params.allocate(arena);
        CUpti_PmSampling_Enable_Params.structSize(params, params.byteSize());
        CUpti_PmSampling_Enable_Params.deviceIndex(params, device);
        int status = cupti_h.cuptiPmSamplingEnable(params);
        if (status == 0) {
            return new CounterReader(metrics, CUpti_PmSampling_Enable_Params.pPmSamplingObject(params));
        }
        try (metrics) {
            if (status == cupti_h.CUPTI_ERROR_INSUFFICIENT_PRIVILEGES()) {
                throw new DeviceUnavailableException("the driver lets only administrators sample counters"
                        + " (NVreg_RestrictProfilingToAdminUsers=0 or CAP_SYS_ADMIN allows it)");
            }
            CuptiException.check(status, "cuptiPmSamplingEnable");
            throw new IllegalStateException("cuptiPmSamplingEnable: " + status + " is no error");
        }
    }

    private void configure() {
        MemorySegment configuration = metrics.configuration();
        MemorySegment params = CUpti_PmSampling_SetConfig_Params.allocate(arena);
        CUpti_PmSampling_SetConfig_Params.structSize(params, params.byteSize());
        CUpti_PmSampling_SetConfig_Params.pPmSamplingObject(params, sampling);
        CUpti_PmSampling_SetConfig_Params.configSize(params, configuration.byteSize());
        CUpti_PmSampling_SetConfig_Params.pConfig(params, configuration);
        CUpti_PmSampling_SetConfig_Params.hardwareBufferSize(params, HARDWARE_BUFFER_BYTES);
        CUpti_PmSampling_SetConfig_Params.samplingInterval(params, PERIOD_NANOS);
        CUpti_PmSampling_SetConfig_Params.triggerMode(
                params, cupti_h.CUPTI_PM_SAMPLING_TRIGGER_MODE_GPU_TIME_INTERVAL());
        CUpti_PmSampling_SetConfig_Params.hwBufferAppendMode(
                params, cupti_h.CUPTI_PM_SAMPLING_HARDWARE_BUFFER_APPEND_MODE_KEEP_OLDEST());
        CuptiException.check(cupti_h.cuptiPmSamplingSetConfig(params), "cuptiPmSamplingSetConfig");
    }

    /** Memory for decoded samples. */
    private void makeImage() {
        MemorySegment params = CUpti_PmSampling_GetCounterDataSize_Params.allocate(arena);
        CUpti_PmSampling_GetCounterDataSize_Params.structSize(params, params.byteSize());
        CUpti_PmSampling_GetCounterDataSize_Params.pPmSamplingObject(params, sampling);
        CUpti_PmSampling_GetCounterDataSize_Params.pMetricNames(params, metrics.names());
        CUpti_PmSampling_GetCounterDataSize_Params.numMetrics(
                params, metrics.metrics().size());
        CUpti_PmSampling_GetCounterDataSize_Params.maxSamples(params, SAMPLES_A_READ);
        CuptiException.check(cupti_h.cuptiPmSamplingGetCounterDataSize(params), "cuptiPmSamplingGetCounterDataSize");
        image = arena.allocate(CUpti_PmSampling_GetCounterDataSize_Params.counterDataSize(params), Long.BYTES);
        clearImage();
    }

    private void clearImage() {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment params = CUpti_PmSampling_CounterDataImage_Initialize_Params.allocate(call);
            CUpti_PmSampling_CounterDataImage_Initialize_Params.structSize(params, params.byteSize());
            CUpti_PmSampling_CounterDataImage_Initialize_Params.pPmSamplingObject(params, sampling);
            CUpti_PmSampling_CounterDataImage_Initialize_Params.counterDataSize(params, image.byteSize());
            CUpti_PmSampling_CounterDataImage_Initialize_Params.pCounterData(params, image);
            CuptiException.check(
                    cupti_h.cuptiPmSamplingCounterDataImageInitialize(params),
                    "cuptiPmSamplingCounterDataImageInitialize");
        }
    }

    private void start() {
        MemorySegment params = CUpti_PmSampling_Start_Params.allocate(arena);
        CUpti_PmSampling_Start_Params.structSize(params, params.byteSize());
        CUpti_PmSampling_Start_Params.pPmSamplingObject(params, sampling);
        CuptiException.check(cupti_h.cuptiPmSamplingStart(params), "cuptiPmSamplingStart");
    }

    /**
     * Fetches the samples since the last call.
     *
     * @return whether there may be more
     * @throws CuptiException also if the GPU had no room left for samples
     */
    boolean read(Sink sink) {
        CUpti_PmSampling_DecodeData_Params.structSize(decode, DECODE_BYTES);
        CUpti_PmSampling_DecodeData_Params.pPmSamplingObject(decode, sampling);
        CUpti_PmSampling_DecodeData_Params.pCounterDataImage(decode, image);
        CUpti_PmSampling_DecodeData_Params.counterDataImageSize(decode, image.byteSize());
        CuptiException.check(cupti_h.cuptiPmSamplingDecodeData(decode), "cuptiPmSamplingDecodeData");
        CUpti_PmSampling_GetCounterDataInfo_Params.structSize(info, info.byteSize());
        CUpti_PmSampling_GetCounterDataInfo_Params.pCounterDataImage(info, image);
        CUpti_PmSampling_GetCounterDataInfo_Params.counterDataImageSize(info, image.byteSize());
        CuptiException.check(cupti_h.cuptiPmSamplingGetCounterDataInfo(info), "cuptiPmSamplingGetCounterDataInfo");
        long count = CUpti_PmSampling_GetCounterDataInfo_Params.numCompletedSamples(info);
        for (long i = first ? 1 : 0; i < count; i++) { // the very first spans the time since the configuration
            long end = end(i);
            MemorySegment values = metrics.evaluate(image, i);
            int next = 0;
            for (Metric metric : metrics.metrics()) {
                sink.add(metric, end, Math.round(values.getAtIndex(ValueLayout.JAVA_DOUBLE, next++)));
            }
        }
        first &= count == 0;
        clearImage();
        return count == SAMPLES_A_READ;
    }

    private long end(long index) {
        CUpti_PmSampling_CounterData_GetSampleInfo_Params.structSize(sample, sample.byteSize());
        CUpti_PmSampling_CounterData_GetSampleInfo_Params.pPmSamplingObject(sample, sampling);
        CUpti_PmSampling_CounterData_GetSampleInfo_Params.pCounterDataImage(sample, image);
        CUpti_PmSampling_CounterData_GetSampleInfo_Params.counterDataImageSize(sample, image.byteSize());
        CUpti_PmSampling_CounterData_GetSampleInfo_Params.sampleIndex(sample, index);
        CuptiException.check(
                cupti_h.cuptiPmSamplingCounterDataGetSampleInfo(sample), "cuptiPmSamplingCounterDataGetSampleInfo");
        return CUpti_PmSampling_CounterData_GetSampleInfo_Params.endTimestamp(sample);
    }

    /** Ends sampling; what was not read is still to be had by {@link #read}. */
    void stop() {
        MemorySegment params = CUpti_PmSampling_Stop_Params.allocate(arena);
        CUpti_PmSampling_Stop_Params.structSize(params, params.byteSize());
        CUpti_PmSampling_Stop_Params.pPmSamplingObject(params, sampling);
        CuptiException.check(cupti_h.cuptiPmSamplingStop(params), "cuptiPmSamplingStop");
    }

    private void disable() {
        MemorySegment params = CUpti_PmSampling_Disable_Params.allocate(arena);
        CUpti_PmSampling_Disable_Params.structSize(params, params.byteSize());
        CUpti_PmSampling_Disable_Params.pPmSamplingObject(params, sampling);
        CuptiException.check(cupti_h.cuptiPmSamplingDisable(params), "cuptiPmSamplingDisable");
    }

    @Override
    public void close() {
        try (arena;
                metrics) {
            disable();
        }
    }
}
