// quantize_fp8_block: activations as E4M3 with one scale for 128 elements of a row.
//
// Math      scales[b,t] = max(max_k |x[t,k]|, 1e-4) / 448 over k in block b = k / 128; y[t,k] = e4m3(x[t,k] /
//           scales[b,t]), rounded to nearest even; ue8m0: the scale is the power of two at or above that
// Shapes    x [T,K] bf16, y [T,K] E4M3, scales [ceil(K/128), T] float32; any T, K >= 1
// Layout    rows of x and y may have gaps (strides in elements), rows of scales lie scaleStride apart; 8-element
//           vectors where x is 16-byte or y 8-byte aligned and their strides and K are multiples of 8, else element by
//           element. active: address of one int32 that holds the rows in use, or null where all T are; rows beyond are
//           neither read nor written
// Roofline  bytes = 3*T*K + T*K/32, flops = 2*T*K: bandwidth-bound
// Launch    grid (ceil(K/128) * ceil(T/32)), block (256), blocks of the same rows side by side; eight threads a block of 128
// Numerics  exact: codes and scales are those of IEEE's division; NaN stays NaN
// Source    DeepSeek-V3 technical report, section 3.3.1
#include "common/round_block.cuh"

template <bool UE8M0>
static __device__ __forceinline__ void quantize(uint8_t* __restrict__ y, float* __restrict__ scales,
                                                const bf16* __restrict__ x, const int* __restrict__ active, int T,
                                                int K, long long xStride, long long yStride, long long scaleStride) {
    const RoundPlace place(K);
    const bool present = place.present(active, T);
    float values[RUNS][RUN];
    loadRuns(values, x + place.t * xStride, place, K, present, wideRows(x, xStride, K));
    storeRounded<UE8M0>(y, scales, values, place, K, present, yStride, scaleStride);
}

#define QUANTIZE_FP8_BLOCK(NAME, UE8M0)                                                                                \
    extern "C" __global__ __launch_bounds__(256, 8) void NAME(                                                         \
        uint8_t* __restrict__ y, float* __restrict__ scales, const bf16* __restrict__ x,                               \
        const int* __restrict__ active, int T, int K, long long xStride, long long yStride, long long scaleStride) {   \
        quantize<UE8M0>(y, scales, x, active, T, K, xStride, yStride, scaleStride);                                    \
    }

QUANTIZE_FP8_BLOCK(quantize_fp8_block_bf16, false)
QUANTIZE_FP8_BLOCK(quantize_fp8_block_ue8m0_bf16, true)
