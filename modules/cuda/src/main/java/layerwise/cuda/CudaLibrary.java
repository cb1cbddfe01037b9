package layerwise.cuda;

/** The shared libraries that this module calls, each with what is lost where it is absent. */
public enum CudaLibrary {
    RUNTIME("CUDA runtime", "libcudart.so.13", "13.0", "no CUDA device"),
    CUBLAS("cuBLAS", "libcublas.so.13", "13.1", "nothing: matrix products use cuBLASLt"),
    CUBLAS_LT("cuBLASLt", "libcublasLt.so.13", "13.1", "no matrix products on a CUDA device"),
    NVTX("NVTX", "libnvtx3interop.so.1", "3", "other profilers see no ranges"),
    CUPTI("CUPTI", "libcupti.so.13", "13.0", "no built-in tracer"),
    NCCL("NCCL", "libnccl.so.2", "2.28.9", "no collectives between GPUs without peer access"),
    NVML("NVML", "libnvidia-ml.so.1", "13", "no clocks, power and temperature in traces");

    private final String title;
    private final String soname;
    private final String builtFor;
    private final String absence;

    CudaLibrary(String title, String soname, String builtFor, String absence) {
        this.title = title;
        this.soname = soname;
        this.builtFor = builtFor;
        this.absence = absence;
    }

    /** Its name as NVIDIA writes it. */
    public String title() {
        return title;
    }

    /** The file name that the loader knows it by. */
    public String soname() {
        return soname;
    }

    /** The version whose headers the bindings were made from. */
    public String builtFor() {
        return builtFor;
    }

    /** What does not work without it. */
    public String absence() {
        return absence;
    }
}
