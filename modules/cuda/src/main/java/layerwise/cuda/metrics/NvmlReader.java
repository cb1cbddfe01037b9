package layerwise.cuda.metrics;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import layerwise.bindings.nvml.nvmlFieldValue_st;
import layerwise.bindings.nvml.nvmlTemperature_v1_t;
import layerwise.bindings.nvml.nvmlUtilization_st;
import layerwise.bindings.nvml.nvmlValue_st;
import layerwise.bindings.nvml.nvml_h;
import layerwise.cuda.CudaLibrary;
import layerwise.cuda.DeviceUnavailableException;
import layerwise.cuda.Libraries;
import layerwise.cuda.NvmlException;

/**
 * Asks NVML for one GPU's clocks, power, temperature and utilisation; for the thread that opened it.
 *
 * <p>What a GPU does not answer is asked once and not again.
 */
final class NvmlReader implements AutoCloseable {
    /** Receives what was read. */
    @FunctionalInterface
    interface Sink {
        void add(Metric metric, long value);
    }

    /** One metric: the call that asks, and its answer if the status is success. */
    private record Question(Metric metric, IntSupplier call, LongSupplier answer) {}

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment device;
    private final MemorySegment number = arena.allocate(ValueLayout.JAVA_LONG);
    private final MemorySegment power = nvmlFieldValue_st.allocate(arena);
    private final MemorySegment temperature = nvmlTemperature_v1_t.allocate(arena);
    private final MemorySegment utilization = nvmlUtilization_st.allocate(arena);
    private final List<Question> questions;

    private NvmlReader(String busId) {
        NvmlException.check(nvml_h.nvmlInit_v2(), "nvmlInit");
        MemorySegment handle = arena.allocate(nvml_h.C_POINTER);
        NvmlException.check(
                nvml_h.nvmlDeviceGetHandleByPciBusId_v2(arena.allocateFrom(busId), handle),
                "nvmlDeviceGetHandleByPciBusId");
        device = handle.get(ValueLayout.ADDRESS, 0);
        nvmlFieldValue_st.fieldId(power, nvml_h.NVML_FI_DEV_POWER_INSTANT());
        nvmlTemperature_v1_t.version(temperature, nvml_h.nvmlTemperature_v1());
        nvmlTemperature_v1_t.sensorType(temperature, nvml_h.NVML_TEMPERATURE_GPU());
        questions = questions();
    }

    private List<Question> questions() {
        LongSupplier read = () -> number.get(ValueLayout.JAVA_INT, 0);
        IntSupplier utilized = () -> nvml_h.nvmlDeviceGetUtilizationRates(device, utilization);
        return new ArrayList<>(List.of(
                new Question(Metric.SM_CLOCK, () -> clock(nvml_h.NVML_CLOCK_SM()), read),
                new Question(Metric.MEMORY_CLOCK, () -> clock(nvml_h.NVML_CLOCK_MEM()), read),
                new Question(Metric.POWER, this::askPower, () -> nvmlValue_st.uiVal(nvmlFieldValue_st.value(power))),
                new Question(
                        Metric.TEMPERATURE,
                        () -> nvml_h.nvmlDeviceGetTemperatureV(device, temperature),
                        () -> nvmlTemperature_v1_t.temperature(temperature)),
                new Question(Metric.GPU_UTILIZATION, utilized, () -> nvmlUtilization_st.gpu(utilization)),
                new Question(Metric.MEMORY_UTILIZATION, utilized, () -> nvmlUtilization_st.memory(utilization)),
                new Question(
                        Metric.CLOCK_EVENT_REASONS,
                        () -> nvml_h.nvmlDeviceGetCurrentClocksEventReasons(device, number),
                        () -> number.get(ValueLayout.JAVA_LONG, 0))));
    }

    private int clock(int type) {
        return nvml_h.nvmlDeviceGetClockInfo(device, type, number);
    }

    /** Of this moment: what nvmlDeviceGetPowerUsage tells is the mean of a second on some GPUs. */
    private int askPower() {
        int status = nvml_h.nvmlDeviceGetFieldValues(device, 1, power);
        return status == nvml_h.NVML_SUCCESS() ? nvmlFieldValue_st.nvmlReturn(power) : status;
    }

    /**
     * Opens the GPU at a PCI location; NVML numbers GPUs otherwise than CUDA.
     *
     * @throws DeviceUnavailableException if there is no NVML
     */
    static NvmlReader open(String busId) {
        Libraries.require(CudaLibrary.NVML);
        return new NvmlReader(busId);
    }

    /** Reads every metric that the GPU answers. */
    void read(Sink sink) {
        questions.removeIf(question -> {
            boolean answered = question.call().getAsInt() == nvml_h.NVML_SUCCESS();
            if (answered) {
                sink.add(question.metric(), question.answer().getAsLong());
            }
            return !answered;
        });
    }

    @Override
    public void close() {
        arena.close();
    }
}
