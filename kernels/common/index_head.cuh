// One head of the lightning indexer in a warp: lane l holds elements E*l .. E*l+E-1 of D = 32*E.
#pragma once

#include "latent.cuh"
#include "reduce.cuh"
#include "scales.cuh"

// Sequence of token t, by bisection: starts[sequence] <= t < starts[sequence + 1].
__device__ __forceinline__ int bisectSequence(const int* starts, int sequences, int t) {
    int low = 0, high = sequences;
    while (high - low > 1) {
        const int middle = (low + high) / 2;
        if (starts[middle] <= t) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

template <int E>
__device__ __forceinline__ void loadHead(float (&v)[E], const bf16* head) {
    const bf16* from = head + threadIdx.x % 32 * E;
    if constexpr (E == 4) {
        const uint2 raw = *reinterpret_cast<const uint2*>(from);
        v[0] = lowBf16(raw.x), v[1] = highBf16(raw.x), v[2] = lowBf16(raw.y), v[3] = highBf16(raw.y);
    } else if constexpr (E == 2) {
        const uint32_t raw = *reinterpret_cast<const uint32_t*>(from);
        v[0] = lowBf16(raw), v[1] = highBf16(raw);
    } else {
        v[0] = __bfloat162float(*from);
    }
}

// Rotates the first 2*half elements in halves; half is a power of two and a multiple of E. `angles` holds half cosines,
// then half sines. Each operation is rounded by itself, as the reference does.
template <int E>
__device__ __forceinline__ void rotateHalves(float (&v)[E], const float* angles, int half) {
    const int first = threadIdx.x % 32 * E;
#pragma unroll
    for (int e = 0; e < E; e++) {
        const float partner = __shfl_xor_sync(0xFFFFFFFFu, v[e], half / E);
        const int i = first + e;
        if (i < 2 * half) {
            const float c = angles[i % half], s = angles[half + i % half];
            v[e] = i < half ? __fsub_rn(__fmul_rn(v[e], c), __fmul_rn(partner, s))
                            : __fadd_rn(__fmul_rn(v[e], c), __fmul_rn(partner, s));
        }
    }
}

// Multiplies with the Hadamard matrix of order 32*E, then with `factor`, the root of 1/(32*E).
template <int E>
__device__ __forceinline__ void hadamard(float (&v)[E], float factor) {
#pragma unroll
    for (int step = 1; step < E; step *= 2) {
#pragma unroll
        for (int e = 0; e < E; e++) {
            if ((e & step) == 0) {
                const float a = v[e], b = v[e + step];
                v[e] = __fadd_rn(a, b);
                v[e + step] = __fsub_rn(a, b);
            }
        }
    }
#pragma unroll
    for (int step = 1; step < 32; step *= 2) {
        const bool upper = threadIdx.x & step;
#pragma unroll
        for (int e = 0; e < E; e++) {
            const float other = __shfl_xor_sync(0xFFFFFFFFu, v[e], step);
            v[e] = upper ? __fsub_rn(other, v[e]) : __fadd_rn(v[e], other);
        }
    }
#pragma unroll
    for (int e = 0; e < E; e++) {
        v[e] = __fmul_rn(v[e], factor);
    }
}

// The power of two at or above max(amax, 1e-4) / 448.
template <int E>
__device__ __forceinline__ float scaleOfHead(const float (&v)[E]) {
    float largest = LEAST;
#pragma unroll
    for (int e = 0; e < E; e++) {
        largest = fmaxf(largest, fabsf(v[e]));
    }
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2) {
        largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, distance));
    }
    return powerOfTwo(__fdiv_rn(largest, LARGEST));
}

// The head over its scale, a power of two, as codes.
template <int E>
__device__ __forceinline__ void storeHead(e4m3* head, const float (&v)[E], float scale) {
    const float inverse = __frcp_rn(scale);
    e4m3* to = head + threadIdx.x % 32 * E;
    if constexpr (E == 4) {
        *reinterpret_cast<uint32_t*>(to) =
            __nv_cvt_float2_to_fp8x2(make_float2(v[0] * inverse, v[1] * inverse), __NV_SATFINITE, __NV_E4M3) |
            __nv_cvt_float2_to_fp8x2(make_float2(v[2] * inverse, v[3] * inverse), __NV_SATFINITE, __NV_E4M3) << 16;
    } else if constexpr (E == 2) {
        *reinterpret_cast<uint16_t*>(to) =
            __nv_cvt_float2_to_fp8x2(make_float2(v[0] * inverse, v[1] * inverse), __NV_SATFINITE, __NV_E4M3);
    } else {
        *to = encodeE4m3(v[0] * inverse);
    }
}
