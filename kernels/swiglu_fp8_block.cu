// swiglu_fp8_block: gated activation of a gated MLP, rounded to E4M3 with one scale for 128 elements of a row.
//
// Math      v[t,i] = bf16(g / (1 + exp(-g)) * x[t,I+i]) with g = x[t,i]; scales[b,t] = max(max_i |v[t,i]|, 1e-4) / 448 over
//           i in block b = i / 128; y[t,i] = e4m3(v[t,i] / scales[b,t]), rounded to nearest even; ue8m0: the scale is the
//           power of two at or above that
// Shapes    x [T,2I] bf16, y [T,I] E4M3, scales [ceil(I/128), T] float32; any T, I >= 1
// Layout    rows of x and y may have gaps (strides in elements), rows of scales lie scaleStride apart; 8-element
//           vectors where x is 16-byte or y 8-byte aligned and their strides and I are multiples of 8, else element by
//           element. active: address of one int32 that holds the rows in use, or null where all T are; rows beyond are
//           neither read nor written
// Roofline  bytes = 5*T*I + T*I/32, flops = 7*T*I: bandwidth-bound
// Launch    grid (ceil(I/128) * ceil(T/32)), block (256), blocks of the same rows side by side; eight threads a block of 128
// Numerics  bits of swiglu and quantize_fp8_block one after the other
// Source    Shazeer 2020, eq. 6; DeepSeek-V3 technical report, section 3.3.1
#include "common/round_block.cuh"
#include "common/swiglu.cuh"

template <bool UE8M0>
static __device__ __forceinline__ void activate(uint8_t* __restrict__ y, float* __restrict__ scales,
                                                const bf16* __restrict__ x, const int* __restrict__ active, int T,
                                                int I, long long xStride, long long yStride, long long scaleStride) {
    const RoundPlace place(I);
    const bool present = place.present(active, T);
    const bool wide = wideRows(x, xStride, I);
    const bf16* row = x + place.t * xStride;
    float values[RUNS][RUN], up[RUNS][RUN];
    loadRuns(values, row, place, I, present, wide);
    loadRuns(up, row + I, place, I, present, wide);
#pragma unroll
    for (int r = 0; r < RUNS; r++) {
#pragma unroll
        for (int i = 0; i < RUN; i++) {
            values[r][i] = rounded(swiglu(values[r][i], up[r][i]));
        }
    }
    storeRounded<UE8M0>(y, scales, values, place, I, present, yStride, scaleStride);
}

#define SWIGLU_FP8_BLOCK(NAME, UE8M0)                                                                                  \
    extern "C" __global__ __launch_bounds__(256) void NAME(                                                            \
        uint8_t* __restrict__ y, float* __restrict__ scales, const bf16* __restrict__ x,                               \
        const int* __restrict__ active, int T, int I, long long xStride, long long yStride, long long scaleStride) {   \
        activate<UE8M0>(y, scales, x, active, T, I, xStride, yStride, scaleStride);                                    \
    }

SWIGLU_FP8_BLOCK(swiglu_fp8_block_bf16, false)
SWIGLU_FP8_BLOCK(swiglu_fp8_block_ue8m0_bf16, true)
