// linear: a dense product for every shape, stride and alignment, on the CUDA cores.
//
// Math      y[t,n] = sum_k x[t,k] * w[n,k], float32 products and sums
// Shapes    x [T,K] bf16, w [N,K], y [T,N] bf16 or float32; T, N, K >= 1. Weights: bf16; f32; fp8: E4M3 bytes with
//           float32 scales [ceil(N/blockRows), ceil(K/blockColumns)]; nvfp4: codes [N,K/2], low nibble = even k, E4M3
//           block scales [N,K/16], float32 scales of segments of segmentRows rows, K % 16 == 0
// Layout    row-major; w and scales contiguous, rows of x and y may have gaps (strides in elements); no alignment
//           beyond the element's own
// Roofline  flops = 2*T*N*K over the CUDA cores' 67 TFLOP/s. Where alignment allows, cuBLASLt or linear_nvfp4 run
//           instead
// Launch    grid (ceil(N/64), ceil(T/64)) with ceil(T/64) <= 65535, block (256), static shared 8.1 KB
// Numerics  |err| <= u * |y| + (K + 2) * 2^-24 * sum_k |x * w|, u = 2^-8 for bf16 results, 0 for float32
// Source    the definition
//
// Symbols   linear_<w>_<y>: w one of bf16, f32, fp8, nvfp4; y one of bf16, f32
#include "common/plain_product.cuh"

template <class Weights, class Y>
__device__ void linear(Y* y, const bf16* x, const Weights& w, int T, int N, long long xStride, long long yStride) {
    const long long t = (long long)blockIdx.y * PLAIN_TILE;
    plainProduct<false>(y + t * yStride, yStride, x + t * xStride, xStride, min(T - (int)t, PLAIN_TILE), w, N,
                        blockIdx.x * PLAIN_TILE);
}

#define LINEAR(SUFFIX, Y)                                                                                              \
    extern "C" __global__ __launch_bounds__(256)                                                                       \
    void linear_bf16_##SUFFIX(Y* __restrict__ y, const bf16* __restrict__ x, const bf16* __restrict__ w, int T, int N, \
                              int K, long long xStride, long long yStride) {                                           \
        linear(y, x, PlainBf16{w, K}, T, N, xStride, yStride);                                                         \
    }                                                                                                                  \
    extern "C" __global__ __launch_bounds__(256)                                                                       \
    void linear_f32_##SUFFIX(Y* __restrict__ y, const bf16* __restrict__ x, const float* __restrict__ w, int T, int N, \
                             int K, long long xStride, long long yStride) {                                            \
        linear(y, x, PlainF32{w, K}, T, N, xStride, yStride);                                                          \
    }                                                                                                                  \
    extern "C" __global__ __launch_bounds__(256)                                                                       \
    void linear_fp8_##SUFFIX(Y* __restrict__ y, const bf16* __restrict__ x, const uint8_t* __restrict__ w,             \
                             const float* __restrict__ scales, int T, int N, int K, int blockRows, int blockColumns,   \
                             long long xStride, long long yStride) {                                                   \
        const int scaleColumns = (K + blockColumns - 1) / blockColumns;                                                \
        linear(y, x, PlainFp8Block{w, scales, K, blockRows, blockColumns, scaleColumns}, T, N, xStride, yStride);      \
    }                                                                                                                  \
    extern "C" __global__ __launch_bounds__(256)                                                                       \
    void linear_nvfp4_##SUFFIX(Y* __restrict__ y, const bf16* __restrict__ x, const uint8_t* __restrict__ w,           \
                               const uint8_t* __restrict__ blockScales, const float* __restrict__ segmentScales,       \
                               int T, int N, int K, int segmentRows, long long xStride, long long yStride) {           \
        linear(y, x, PlainNvfp4{w, blockScales, segmentScales, K, segmentRows}, T, N, xStride, yStride);               \
    }

LINEAR(bf16, bf16)
LINEAR(f32, float)
