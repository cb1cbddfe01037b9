package layerwise.cuda.metrics;

/** What is sampled. Where Nsight Systems samples the same, the name is its name. */
enum Metric {
    SM_CLOCK(1, "SM Clock [MHz]"),
    MEMORY_CLOCK(2, "Memory Clock [MHz]"),
    POWER(3, "Power [mW]"),
    TEMPERATURE(4, "GPU Temperature [C]"),
    GPU_UTILIZATION(5, "GPU Utilization [%]"),
    MEMORY_UTILIZATION(6, "Memory Utilization [%]"),
    CLOCK_EVENT_REASONS(7, "Clock Event Reasons [bits]"),
    SMS_ACTIVE(8, "SMs Active [Throughput %]"),
    TENSOR_ACTIVE(9, "Tensor Active [Throughput %]"),
    DRAM_READ(10, "DRAM Read Bandwidth [Throughput %]"),
    DRAM_WRITE(11, "DRAM Write Bandwidth [Throughput %]");

    private final int id;
    private final String title;

    Metric(int id, String title) {
        this.id = id;
        this.title = title;
    }

    /** Its number in traces. */
    int id() {
        return id;
    }

    /** Its name in traces, with its unit in brackets. */
    String title() {
        return title;
    }
}
