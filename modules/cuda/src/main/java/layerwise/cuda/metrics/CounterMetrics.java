package layerwise.cuda.metrics;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import layerwise.bindings.cupti.CUpti_Profiler_Host_ConfigAddMetrics_Params;
import layerwise.bindings.cupti.CUpti_Profiler_Host_Deinitialize_Params;
import layerwise.bindings.cupti.CUpti_Profiler_Host_EvaluateToGpuValues_Params;
import layerwise.bindings.cupti.CUpti_Profiler_Host_GetConfigImageSize_Params;
import layerwise.bindings.cupti.CUpti_Profiler_Host_GetConfigImage_Params;
import layerwise.bindings.cupti.CUpti_Profiler_Host_GetNumOfPasses_Params;
import layerwise.bindings.cupti.CUpti_Profiler_Host_Initialize_Params;
import layerwise.bindings.cupti.cupti_h;
import layerwise.cuda.CuptiException;

/**
 * Which hardware counters make up the sampled metrics of one kind of chip, and how their raw values become per cents. All
 * of it happens on the host, so it needs no GPU.
 */
final class CounterMetrics implements AutoCloseable {
    /** Names by which CUPTI knows them; together they fit one pass, which sampling demands. */
    private static final Map<Metric, String> NAMES = new EnumMap<>(Map.of(
            Metric.SMS_ACTIVE, "sm__cycles_active.avg.pct_of_peak_sustained_elapsed",
            Metric.TENSOR_ACTIVE, "sm__pipe_tensor_cycles_active_realtime.avg.pct_of_peak_sustained_elapsed",
            Metric.DRAM_READ, "dram__read_throughput.avg.pct_of_peak_sustained_elapsed",
            Metric.DRAM_WRITE, "dram__write_throughput.avg.pct_of_peak_sustained_elapsed"));

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment host;
    private final MemorySegment names = arena.allocate(ValueLayout.ADDRESS, NAMES.size());
    private final MemorySegment values = arena.allocate(ValueLayout.JAVA_DOUBLE, NAMES.size());
    private final MemorySegment evaluate = CUpti_Profiler_Host_EvaluateToGpuValues_Params.allocate(arena);

    private CounterMetrics(String chip) {
        int next = 0;
        for (String name : NAMES.values()) {
            names.setAtIndex(ValueLayout.ADDRESS, next++, arena.allocateFrom(name));
        }
        host = initialize(chip);
    }

    /**
     * The metrics of a chip, for example {@code GH100}.
     *
     * @throws CuptiException if CUPTI does not know the chip, or the chip one of the metrics
     */
    static CounterMetrics of(String chip) {
        CounterMetrics metrics = new CounterMetrics(chip);
        try {
            metrics.add();
            return metrics;
        } catch (CuptiException e) {
            metrics.close();
            throw e;
        }
    }

    private MemorySegment initialize(String chip) {
        MemorySegment params = CUpti_Profiler_Host_Initialize_Params.allocate(arena);
        CUpti_Profiler_Host_Initialize_Params.structSize(params, params.byteSize());
        CUpti_Profiler_Host_Initialize_Params.profilerType(params, cupti_h.CUPTI_PROFILER_TYPE_PM_SAMPLING());
        CUpti_Profiler_Host_Initialize_Params.pChipName(params, arena.allocateFrom(chip));
        CuptiException.check(cupti_h.cuptiProfilerHostInitialize(params), "cuptiProfilerHostInitialize");
        return CUpti_Profiler_Host_Initialize_Params.pHostObject(params);
    }

    private void add() {
        MemorySegment params = CUpti_Profiler_Host_ConfigAddMetrics_Params.allocate(arena);
        CUpti_Profiler_Host_ConfigAddMetrics_Params.structSize(params, params.byteSize());
        CUpti_Profiler_Host_ConfigAddMetrics_Params.pHostObject(params, host);
        CUpti_Profiler_Host_ConfigAddMetrics_Params.ppMetricNames(params, names);
        CUpti_Profiler_Host_ConfigAddMetrics_Params.numMetrics(params, NAMES.size());
        CuptiException.check(cupti_h.cuptiProfilerHostConfigAddMetrics(params), "cuptiProfilerHostConfigAddMetrics");
    }

    /** What is sampled. */
    List<Metric> metrics() {
        return List.copyOf(NAMES.keySet());
    }

    /** CUPTI's names, an array of C strings. */
    MemorySegment names() {
        return names;
    }

    /** The counters to set up, as the device side wants to be told. */
    MemorySegment configuration() {
        MemorySegment size = CUpti_Profiler_Host_GetConfigImageSize_Params.allocate(arena);
        CUpti_Profiler_Host_GetConfigImageSize_Params.structSize(size, size.byteSize());
        CUpti_Profiler_Host_GetConfigImageSize_Params.pHostObject(size, host);
        CuptiException.check(cupti_h.cuptiProfilerHostGetConfigImageSize(size), "cuptiProfilerHostGetConfigImageSize");
        MemorySegment image =
                arena.allocate(CUpti_Profiler_Host_GetConfigImageSize_Params.configImageSize(size), Long.BYTES);
        MemorySegment params = CUpti_Profiler_Host_GetConfigImage_Params.allocate(arena);
        CUpti_Profiler_Host_GetConfigImage_Params.structSize(params, params.byteSize());
        CUpti_Profiler_Host_GetConfigImage_Params.pHostObject(params, host);
        CUpti_Profiler_Host_GetConfigImage_Params.configImageSize(params, image.byteSize());
        CUpti_Profiler_Host_GetConfigImage_Params.pConfigImage(params, image);
        CuptiException.check(cupti_h.cuptiProfilerHostGetConfigImage(params), "cuptiProfilerHostGetConfigImage");
        return image;
    }

    /** How often a program would have to be run to count everything in a {@link #configuration}. */
    long passes(MemorySegment configuration) {
        MemorySegment params = CUpti_Profiler_Host_GetNumOfPasses_Params.allocate(arena);
        CUpti_Profiler_Host_GetNumOfPasses_Params.structSize(params, params.byteSize());
        CUpti_Profiler_Host_GetNumOfPasses_Params.configImageSize(params, configuration.byteSize());
        CUpti_Profiler_Host_GetNumOfPasses_Params.pConfigImage(params, configuration);
        CuptiException.check(cupti_h.cuptiProfilerHostGetNumOfPasses(params), "cuptiProfilerHostGetNumOfPasses");
        return CUpti_Profiler_Host_GetNumOfPasses_Params.numOfPasses(params);
    }

    /**
     * The metrics of one sample.
     *
     * @param image decoded samples
     * @return doubles, in the order of {@link #metrics}; valid until the next call
     */
    MemorySegment evaluate(MemorySegment image, long sample) {
        CUpti_Profiler_Host_EvaluateToGpuValues_Params.structSize(evaluate, evaluate.byteSize());
        CUpti_Profiler_Host_EvaluateToGpuValues_Params.pHostObject(evaluate, host);
        CUpti_Profiler_Host_EvaluateToGpuValues_Params.pCounterDataImage(evaluate, image);
        CUpti_Profiler_Host_EvaluateToGpuValues_Params.counterDataImageSize(evaluate, image.byteSize());
        CUpti_Profiler_Host_EvaluateToGpuValues_Params.rangeIndex(evaluate, sample);
        CUpti_Profiler_Host_EvaluateToGpuValues_Params.ppMetricNames(evaluate, names);
        CUpti_Profiler_Host_EvaluateToGpuValues_Params.numMetrics(evaluate, NAMES.size());
        CUpti_Profiler_Host_EvaluateToGpuValues_Params.pMetricValues(evaluate, values);
        CuptiException.check(
                cupti_h.cuptiProfilerHostEvaluateToGpuValues(evaluate), "cuptiProfilerHostEvaluateToGpuValues");
        return values;
    }

    @Override
    public void close() {
        try (arena) {
            MemorySegment params = CUpti_Profiler_Host_Deinitialize_Params.allocate(arena);
            CUpti_Profiler_Host_Deinitialize_Params.structSize(params, params.byteSize());
            CUpti_Profiler_Host_Deinitialize_Params.pHostObject(params, host);
            CuptiException.check(cupti_h.cuptiProfilerHostDeinitialize(params), "cuptiProfilerHostDeinitialize");
        }
    }
}
