// find_not_finite: the first element of an array that is no finite number.
//
// Math      first = min(first, min {i : x[i] is NaN or infinite}); e4m3 has NaNs only
// Shapes    x [N], any N >= 1; first [1] uint64, which must hold what to compare with: all bits set for "none yet"
// Layout    contiguous; 16-byte loads where x lies on 16 bytes, for all but the last elements
// Roofline  bytes = N * size of an element, a comparison of integers an element: bandwidth-bound
// Launch    grid (min(ceil(N/4096), 2112)), block (256), no dynamic shared memory; blocks walk the array
// Numerics  exact: minima do not depend on their order
// Source    IEEE 754; OCP 8-bit floating point specification 1.0
#include <cuda_fp16.h>

#include "common/latent.cuh"

static __device__ bool notFinite(bf16 x) { return (__bfloat16_as_ushort(x) & 0x7F80) == 0x7F80; }
static __device__ bool notFinite(__half x) { return (__half_as_ushort(x) & 0x7C00) == 0x7C00; }
static __device__ bool notFinite(float x) { return (__float_as_uint(x) & 0x7F800000) == 0x7F800000; }
static __device__ bool notFinite(e4m3 x) { return (x & 0x7F) == 0x7F; }

template <class X>
static __device__ void findNotFinite(unsigned long long* first, const X* x, int64_t n) {
    constexpr int W = 16 / sizeof(X);
    const int64_t thread = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    const int64_t threads = static_cast<int64_t>(gridDim.x) * blockDim.x;
    const int64_t vectors = reinterpret_cast<uintptr_t>(x) % 16 == 0 ? n / W : 0;
    for (int64_t i = thread; i < vectors; i += threads) {
        alignas(16) X v[W];
        *reinterpret_cast<uint4*>(v) = reinterpret_cast<const uint4*>(x)[i];
#pragma unroll
        for (int j = 0; j < W; j++) {
            if (notFinite(v[j])) {
                atomicMin(first, static_cast<unsigned long long>(i * W + j));
            }
        }
    }
    for (int64_t i = vectors * W + thread; i < n; i += threads) {
        if (notFinite(x[i])) {
            atomicMin(first, static_cast<unsigned long long>(i));
        }
    }
}

extern "C" __global__ __launch_bounds__(256)
void find_not_finite_bf16(unsigned long long* first, const bf16* x, int64_t n) {
    findNotFinite(first, x, n);
}

extern "C" __global__ __launch_bounds__(256)
void find_not_finite_f16(unsigned long long* first, const __half* x, int64_t n) {
    findNotFinite(first, x, n);
}

extern "C" __global__ __launch_bounds__(256)
void find_not_finite_f32(unsigned long long* first, const float* x, int64_t n) {
    findNotFinite(first, x, n);
}

extern "C" __global__ __launch_bounds__(256)
void find_not_finite_e4m3(unsigned long long* first, const e4m3* x, int64_t n) {
    findNotFinite(first, x, n);
}
