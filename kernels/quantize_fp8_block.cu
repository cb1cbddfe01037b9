// quantize_fp8_block: activations as E4M3 with one scale for 128 elements of a row.
//
// Math      scales[b,t] = max(max_k |x[t,k]|, 1e-4) / 448 over k in block b = k / 128; y[t,k] = e4m3(x[t,k] /
//           scales[b,t]), rounded to nearest even; ue8m0: the scale is the power of two at or above that
// Shapes    x [T,K] bf16, y [T,K] E4M3, scales [ceil(K/128), T] float32; any T, K >= 1
// Layout    rows of x and y may have gaps (strides in elements), rows of scales lie scaleStride apart; 8-element
//           vectors where x is 16-byte and y 8-byte aligned and strides and K are multiples of 8, else element by
//           element. active: address of one int32 that holds the rows in use, or null where all T are; rows beyond are
//           neither read nor written
// Roofline  bytes = 3*T*K + T*K/32, flops = 2*T*K: bandwidth-bound
// Launch    grid (ceil(K/128) * ceil(T/16)), block (256), blocks of the same rows side by side; 16 threads a block of 128
// Numerics  exact: division and rounding are IEEE's; NaN stays NaN
// Source    DeepSeek-V3 technical report, section 3.3.1
#include <cuda_fp8.h>

#include "common/rows.cuh"
#include "common/scales.cuh"

constexpr int BLOCK = 128;
constexpr int THREADS_PER_BLOCK = 16;
constexpr int EACH = BLOCK / THREADS_PER_BLOCK;

template <bool UE8M0>
static __device__ __forceinline__ void quantize(uint8_t* __restrict__ y, float* __restrict__ scales,
                                                const bf16* __restrict__ x, const int* __restrict__ active, int T,
                                                int K, long long xStride, long long yStride, long long scaleStride) {
    const unsigned blocks = (K + BLOCK - 1) / BLOCK, block = blockIdx.x % blocks;
    const long long t = (long long)(blockIdx.x / blocks) * (256 / THREADS_PER_BLOCK) + threadIdx.x / THREADS_PER_BLOCK;
    const int k = block * BLOCK + threadIdx.x % THREADS_PER_BLOCK * EACH; // may lie behind K
    const bool present = t < T && (active == nullptr || t < *active);
    const bool wide = wideRows(x, xStride, K) && ((reinterpret_cast<size_t>(y) | yStride) & 7) == 0;
    const bf16* from = x + t * xStride + k;
    float values[EACH] = {};
    if (present && wide && k < K) {
        load(values, from);
    } else if (present) {
#pragma unroll
        for (int i = 0; i < EACH; i++) {
            values[i] = k + i < K ? __bfloat162float(from[i]) : 0;
        }
    }
    float largest = 0;
#pragma unroll
    for (int i = 0; i < EACH; i++) {
        largest = fmaxf(largest, fabsf(values[i]));
    }
#pragma unroll
    for (int step = THREADS_PER_BLOCK / 2; step > 0; step /= 2) {
        largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, step));
    }
    if (!present || k >= K) {
        return;
    }
    const float ratio = __fdiv_rn(fmaxf(largest, LEAST), LARGEST);
    const float scale = UE8M0 ? powerOfTwo(ratio) : ratio;
    uint32_t words[2] = {};
#pragma unroll
    for (int i = 0; i < EACH; i++) {
        const uint32_t code = __nv_cvt_float_to_fp8(__fdiv_rn(values[i], scale), __NV_SATFINITE, __NV_E4M3);
        words[i / 4] |= code << (i % 4 * 8);
    }
    uint8_t* to = y + t * yStride + k;
    if (wide) {
        *reinterpret_cast<uint2*>(to) = make_uint2(words[0], words[1]);
    } else {
        for (int i = 0; i < EACH && k + i < K; i++) {
            to[i] = static_cast<uint8_t>(words[i / 4] >> (i % 4 * 8));
        }
    }
    if (threadIdx.x % THREADS_PER_BLOCK == 0) {
        scales[block * scaleStride + t] = scale;
    }
}

#define QUANTIZE_FP8_BLOCK(NAME, UE8M0)                                                                                \
    extern "C" __global__ __launch_bounds__(256) void NAME(                                                            \
        uint8_t* __restrict__ y, float* __restrict__ scales, const bf16* __restrict__ x,                               \
        const int* __restrict__ active, int T, int K, long long xStride, long long yStride, long long scaleStride) {   \
        quantize<UE8M0>(y, scales, x, active, T, K, xStride, yStride, scaleStride);                                    \
    }

QUANTIZE_FP8_BLOCK(quantize_fp8_block_bf16, false)
QUANTIZE_FP8_BLOCK(quantize_fp8_block_ue8m0_bf16, true)
