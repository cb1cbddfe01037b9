// CUDA runtime, and the type of the one driver function that has no runtime twin (cuTensorMapEncodeTiled).
#include <cuda_runtime_api.h>
#include <cuda_profiler_api.h>
#include <cudaTypedefs.h>
