// fill_uniform: reproducible noise, the same on every executor.
//
// Math      x[r,c] = low + (high - low) * (noise24(seed, first + r*step + c) * 2^-24), each operation rounded in float32,
//           the result rounded to x's type (e4m3 saturates at 448)
// Shapes    x [R,C], R, C >= 1, any R*C below 2^40: rows of a part of a larger tensor, step of whose elements lie from one
//           row to the next, the part's first being number first; a whole tensor is one row
// Layout    contiguous; 16-byte stores where x lies on 16 bytes and rows are multiples of 16 bytes, or there is one only and
//           for all but its last elements
// Roofline  bytes = R*C * size of an element, flops = 3*R*C beside about 20 integer operations an element: bound by integer
//           units, not by memory
// Launch    grid (min(ceil(R*C/2048), 2112)), block (256), no dynamic shared memory; blocks walk the array
// Numerics  exact: bit for bit what Java computes
// Source    Steele, Lea and Flood 2014, figure 16
#include <cuda_fp16.h>

#include "common/latent.cuh"
#include "common/noise.cuh"

static __device__ float uniform(uint64_t seed, int64_t i, float low, float high) {
    const float unit = static_cast<float>(noise24(seed, i)) * 0x1p-24f;
    return __fadd_rn(low, __fmul_rn(__fsub_rn(high, low), unit)); // no fused multiply-add: Java has none here
}

static __device__ void put(bf16* x, float v) { *x = __float2bfloat16_rn(v); }
static __device__ void put(__half* x, float v) { *x = __float2half_rn(v); }
static __device__ void put(float* x, float v) { *x = v; }
static __device__ void put(e4m3* x, float v) { *x = encodeE4m3(v); }

template <class X>
static __device__ void fill(X* x, int64_t rows, int64_t columns, float low, float high, uint64_t seed, int64_t first,
                            int64_t step) {
    constexpr int W = 16 / sizeof(X);
    const int64_t n = rows * columns;
    const int64_t thread = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    const int64_t threads = static_cast<int64_t>(gridDim.x) * blockDim.x;
    const bool wide = reinterpret_cast<uintptr_t>(x) % 16 == 0 && (rows == 1 || columns % W == 0);
    const int64_t vectors = wide ? n / W : 0;
    for (int64_t i = thread; i < vectors; i += threads) {
        const int64_t at = wholeIndex(i * W, rows, columns, first, step);
        alignas(16) X v[W];
#pragma unroll
        for (int j = 0; j < W; j++) {
            put(v + j, uniform(seed, at + j, low, high));
        }
        reinterpret_cast<uint4*>(x)[i] = *reinterpret_cast<const uint4*>(v);
    }
    for (int64_t i = vectors * W + thread; i < n; i += threads) {
        put(x + i, uniform(seed, wholeIndex(i, rows, columns, first, step), low, high));
    }
}

extern "C" __global__ __launch_bounds__(256)
void fill_uniform_bf16(bf16* x, int64_t rows, int64_t columns, float low, float high, uint64_t seed, int64_t first,
                      int64_t step) {
    fill(x, rows, columns, low, high, seed, first, step);
}

extern "C" __global__ __launch_bounds__(256)
void fill_uniform_f16(__half* x, int64_t rows, int64_t columns, float low, float high, uint64_t seed, int64_t first,
                      int64_t step) {
    fill(x, rows, columns, low, high, seed, first, step);
}

extern "C" __global__ __launch_bounds__(256)
void fill_uniform_f32(float* x, int64_t rows, int64_t columns, float low, float high, uint64_t seed, int64_t first,
                      int64_t step) {
    fill(x, rows, columns, low, high, seed, first, step);
}

extern "C" __global__ __launch_bounds__(256)
void fill_uniform_e4m3(e4m3* x, int64_t rows, int64_t columns, float low, float high, uint64_t seed, int64_t first,
                      int64_t step) {
    fill(x, rows, columns, low, high, seed, first, step);
}
