package layerwise.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import layerwise.bindings.cublas.cublas_h;
import layerwise.bindings.cublasLt.cublasLt_h;
import layerwise.bindings.cupti.cupti_h;
import layerwise.bindings.nvml.nvml_h;
import layerwise.bindings.nvtx.nvtx_h;

/**
 * What was found of each library, from where and in which version.
 *
 * @param entries       one for each of {@link CudaLibrary}
 * @param driverVersion newest CUDA version that the driver supports, for example {@code 13.0}; empty without a driver
 */
public record LibraryReport(List<Entry> entries, Optional<String> driverVersion) {
    private static final int NVML_VERSION_BYTES = 80; // nvml.h: NVML_SYSTEM_NVML_VERSION_BUFFER_SIZE

    /**
     * One library.
     *
     * @param file    the file it was loaded from, empty where it is absent
     * @param origin  who suggested that file: a variable, {@code loader} or a folder; empty where it is absent
     * @param version the version found, empty where it is absent
     * @param problem why it is absent, empty where it is not
     */
    public record Entry(CudaLibrary library, Optional<Path> file, String origin, String version, String problem) {}

    public LibraryReport {
        entries = List.copyOf(entries);
    }

    /** Loads every library that can be had. */
    public static LibraryReport take() {
        List<Entry> entries = new ArrayList<>();
        for (CudaLibrary library : CudaLibrary.values()) {
            entries.add(
                    switch (Libraries.ofProcess().outcome(library)) {
                        case Libraries.Outcome.Loaded(Path file, String origin) ->
                            new Entry(library, Optional.of(file), origin, version(library), "");
                        case Libraries.Outcome.Absent(String reason) ->
                            new Entry(library, Optional.empty(), "", "", reason);
                    });
        }
        return new LibraryReport(entries, findDriver());
    }

    private static Optional<String> findDriver() {
        if (!Libraries.has(CudaLibrary.RUNTIME)) {
            return Optional.empty();
        }
        int version = DeviceInfo.driverVersion();
        return version == 0 ? Optional.empty() : Optional.of(DeviceInfo.versionText(version));
    }

    private static String version(CudaLibrary library) {
        return switch (library) {
            case RUNTIME -> DeviceInfo.versionText(DeviceInfo.runtimeVersion());
            case CUBLAS -> cublasVersion();
            case CUBLAS_LT -> ofSixDigits(cublasLtVersion());
            case NVTX -> Integer.toString(nvtx_h.NVTX_VERSION());
            case CUPTI -> ofSixDigits(cuptiVersion());
            case NCCL -> Nccl.version();
            case NVML -> nvmlVersion();
        };
    }

    /** {@code 130100} is 13.1.0; so cuBLAS and NCCL count, and CUPTI from CUDA 13.0 on. */
    static String ofSixDigits(long version) {
        return (version / 10_000) + "." + (version / 100 % 100) + "." + (version % 100);
    }

    private static long cublasLtVersion() {
        return cublasLt_h.cublasLtGetVersion();
    }

    private static int cuptiVersion() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment version = arena.allocate(ValueLayout.JAVA_INT);
            CuptiException.check(cupti_h.cuptiGetVersion(version), "cuptiGetVersion");
            return version.get(ValueLayout.JAVA_INT, 0);
        }
    }

    private static String nvmlVersion() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment version = arena.allocate(NVML_VERSION_BYTES);
            NvmlException.check(
                    nvml_h.nvmlSystemGetNVMLVersion(version, NVML_VERSION_BYTES), "nvmlSystemGetNVMLVersion");
            return version.getString(0);
        }
    }

    private static String cublasVersion() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment part = arena.allocate(ValueLayout.JAVA_INT);
            List<String> parts = new ArrayList<>();
            for (int property = 0; property < 3; property++) { // library_types.h: major, minor, patch level
                CublasException.check(cublas_h.cublasGetProperty(property, part), "cublasGetProperty");
                parts.add(Integer.toString(part.get(ValueLayout.JAVA_INT, 0)));
            }
            return String.join(".", parts);
        }
    }

    /** One line a library: name, version, file, who suggested it; or what its absence disables. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        for (Entry entry : entries) {
            CudaLibrary library = entry.library();
            lines.add(
                    entry.file().isPresent()
                            ? "%-13s %-8s %s (%s; built for %s)"
                                    .formatted(
                                            library.title(),
                                            entry.version(),
                                            entry.file().get(),
                                            entry.origin(),
                                            library.builtFor())
                            : "%-13s absent   %s (%s)".formatted(library.title(), library.absence(), entry.problem()));
        }
        lines.add("%-13s %s".formatted("CUDA driver", driverVersion.orElse("absent   no CUDA device")));
        return lines;
    }
}
