// A CUDA runtime and a cuBLASLt without a GPU, for tests of what the program says where something is missing. FAKE_CUDA
// chooses what: no-driver, old-driver, no-gpu, old-gpu, no-memory.
#include <stdlib.h>
#include <string.h>

static int is(const char *what) {
    const char *mode = getenv("FAKE_CUDA");
    return mode != NULL && strcmp(mode, what) == 0;
}

static char memory[256];

int cudaDriverGetVersion(int *version) {
    *version = is("no-driver") ? 0 : is("old-driver") ? 12040 : 13000;
    return 0;
}

int cudaRuntimeGetVersion(int *version) {
    *version = 13000;
    return 0;
}

int cudaGetDeviceCount(int *count) {
    *count = 1;
    return is("old-driver") ? 35 : is("no-gpu") ? 100 : 0;
}

const char *cudaGetErrorName(int error) {
    return error == 2     ? "cudaErrorMemoryAllocation"
           : error == 35  ? "cudaErrorInsufficientDriver"
           : error == 100 ? "cudaErrorNoDevice"
                          : "cudaErrorUnknown";
}

const char *cudaGetErrorString(int error) {
    return error == 2     ? "out of memory"
           : error == 35  ? "CUDA driver version is insufficient for CUDA runtime version"
           : error == 100 ? "no CUDA-capable device is detected"
                          : "unknown error";
}

// The head of cudaDeviceProp of CUDA 13.0: the name at 0, memory at 288, compute capability at 360.
int cudaGetDeviceProperties(char *properties, int device) {
    (void)device;
    strcpy(properties, "NVIDIA Fake");
    *(size_t *)(properties + 288) = (size_t)80 << 30;
    *(int *)(properties + 360) = is("old-gpu") ? 8 : 9;
    *(int *)(properties + 364) = 0;
    return 0;
}

int cudaDeviceGetPCIBusId(char *id, int length, int device) {
    (void)device;
    strncpy(id, "0000:01:00.0", length);
    return 0;
}

int cudaDeviceGetAttribute(int *value, int attribute, int device) {
    (void)attribute;
    (void)device;
    *value = 1;
    return 0;
}

int cudaStreamCreateWithPriority(void **stream, unsigned flags, int priority) {
    (void)flags;
    (void)priority;
    *stream = memory;
    return 0;
}

int cudaMalloc(void **pointer, size_t bytes) {
    (void)bytes;
    *pointer = memory;
    return is("no-memory") ? 2 : 0;
}

int cudaMemGetInfo(size_t *free, size_t *total) {
    *free = (size_t)3 << 30;
    *total = (size_t)80 << 30;
    return 0;
}

int cudaSetDevice(int device) {
    return device;
}

int cudaGetLastError(void) {
    return 0;
}

int cudaDeviceSynchronize(void) {
    return 0;
}

int cudaStreamDestroy(void *stream) {
    (void)stream;
    return 0;
}

int cudaFree(void *pointer) {
    (void)pointer;
    return 0;
}

int cublasLtCreate(void **handle) {
    *handle = memory;
    return 0;
}

int cublasLtDestroy(void *handle) {
    (void)handle;
    return 0;
}

size_t cublasLtGetVersion(void) {
    return 130100;
}
