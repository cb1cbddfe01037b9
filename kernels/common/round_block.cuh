// Blocks of 128 elements of a row as E4M3 codes with one scale: eight threads a block, two runs of eight elements each.
#pragma once

#include <cuda_fp8.h>

#include "rows.cuh"
#include "scales.cuh"

constexpr int ROUND_BLOCK = 128;
constexpr int ROUND_THREADS = 8;
constexpr int RUNS = 2, RUN = ROUND_BLOCK / (ROUND_THREADS * RUNS);
constexpr int ROUND_ROWS = 256 / ROUND_THREADS; // of a block of threads

// Which elements a thread has; blocks of threads with the same rows lie side by side in the grid.
struct RoundPlace {
    unsigned block;
    long long t;

    __device__ explicit RoundPlace(int K) {
        const unsigned blocks = (K + ROUND_BLOCK - 1) / ROUND_BLOCK;
        block = blockIdx.x % blocks;
        t = (long long)(blockIdx.x / blocks) * ROUND_ROWS + threadIdx.x / ROUND_THREADS;
    }

    __device__ bool present(const int* active, int T) const { return t < T && (active == nullptr || t < *active); }

    // The first element of a run; may lie behind K. Runs of a block's threads lie side by side.
    __device__ int first(int run) const {
        return block * ROUND_BLOCK + (run * ROUND_THREADS + threadIdx.x % ROUND_THREADS) * RUN;
    }
};

// Those of a thread's elements that exist, zeros for others. `wide`: K and the address are multiples of eight elements.
__device__ __forceinline__ void loadRuns(float (&v)[RUNS][RUN], const bf16* row, const RoundPlace& place, int K,
                                         bool present, bool wide) {
#pragma unroll
    for (int r = 0; r < RUNS; r++) {
        const int k = place.first(r);
        if (wide) {
            const uint4 raw = present && k < K ? *reinterpret_cast<const uint4*>(row + k) : make_uint4(0, 0, 0, 0);
            const uint32_t word[4] = {raw.x, raw.y, raw.z, raw.w};
#pragma unroll
            for (int i = 0; i < 4; i++) {
                v[r][2 * i] = lowBf16(word[i]);
                v[r][2 * i + 1] = highBf16(word[i]);
            }
        } else {
#pragma unroll
            for (int i = 0; i < RUN; i++) {
                v[r][i] = present && k + i < K ? __bfloat162float(row[k + i]) : 0;
            }
        }
    }
}

// x / scale as E4M3 will see it, from the scale's reciprocal: with one step of correction no bfloat16 up to the block's
// largest gets another code than from IEEE's quotient, tried for each pair of them; where the scale is infinite, divisor is
// 0 and the product with the reciprocal, 0, is the quotient. The sign of zero stays.
__device__ __forceinline__ float quotient(float x, float divisor, float inverse) {
    const float q = __fmul_rn(x, inverse);
    return __fmaf_rn(__fmaf_rn(q, divisor, -x), -inverse, q);
}

// Codes of bfloat16 numbers and their scale to memory; whole warps come together, those without a row, too.
template <bool UE8M0>
__device__ __forceinline__ void storeRounded(uint8_t* y, float* scales, const float (&v)[RUNS][RUN],
                                             const RoundPlace& place, int K, bool present, long long yStride,
                                             long long scaleStride) {
    float largest = LEAST;
#pragma unroll
    for (int r = 0; r < RUNS; r++) {
#pragma unroll
        for (int i = 0; i < RUN; i++) {
            largest = fmaxf(largest, fabsf(v[r][i])); // NaN concerns its own element only
        }
    }
#pragma unroll
    for (int step = ROUND_THREADS / 2; step > 0; step /= 2) {
        largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, step));
    }
    if (!present) {
        return;
    }
    const float ratio = __fdiv_rn(largest, LARGEST);
    const float scale = UE8M0 ? powerOfTwo(ratio) : ratio;
    const float inverse = __frcp_rn(scale);
    const float divisor = isinf(scale) ? 0 : scale;
    const bool wide = ((reinterpret_cast<size_t>(y) | yStride | K) & (RUN - 1)) == 0;
#pragma unroll
    for (int r = 0; r < RUNS; r++) {
        uint32_t words[RUN / 4];
#pragma unroll
        for (int i = 0; i < RUN; i += 4) {
            float q[4];
#pragma unroll
            for (int j = 0; j < 4; j++) { // a power of two has an exact reciprocal
                q[j] = UE8M0 ? __fmul_rn(v[r][i + j], inverse) : quotient(v[r][i + j], divisor, inverse);
            }
            const uint32_t low = __nv_cvt_float2_to_fp8x2(make_float2(q[0], q[1]), __NV_SATFINITE, __NV_E4M3);
            const uint32_t high = __nv_cvt_float2_to_fp8x2(make_float2(q[2], q[3]), __NV_SATFINITE, __NV_E4M3);
            words[i / 4] = low | high << 16;
        }
        const int k = place.first(r);
        uint8_t* to = y + place.t * yStride + k;
        if (wide) {
            if (k < K) {
                *reinterpret_cast<uint2*>(to) = make_uint2(words[0], words[1]);
            }
        } else {
            for (int i = 0; i < RUN && k + i < K; i++) {
                to[i] = static_cast<uint8_t>(words[i / 4] >> (i % 4 * 8));
            }
        }
    }
    if (threadIdx.x % ROUND_THREADS == 0) {
        scales[place.block * scaleStride + place.t] = scale;
    }
}
