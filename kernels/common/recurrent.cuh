// States that a sequence carries from step to step, in their stored type; scalars of gates.
#pragma once

#include <cuda_fp16.h>

#include "gates.cuh"
#include "rows.cuh"

// Bytes that a thread moves at once, and the elements that they are.
template <class S>
constexpr int WIDE = 16 / sizeof(S);

__device__ __forceinline__ void load(float (&v)[8], const __half* p) {
    const uint4 raw = *reinterpret_cast<const uint4*>(p);
    const uint32_t word[4] = {raw.x, raw.y, raw.z, raw.w};
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const float2 two = __half22float2(*reinterpret_cast<const __half2*>(&word[i]));
        v[2 * i] = two.x;
        v[2 * i + 1] = two.y;
    }
}

__device__ __forceinline__ void load(float (&v)[4], const float* p) {
    const float4 raw = *reinterpret_cast<const float4*>(p);
    v[0] = raw.x, v[1] = raw.y, v[2] = raw.z, v[3] = raw.w;
}

__device__ __forceinline__ void store(__half* p, const float (&v)[8]) {
    uint4 raw;
    uint32_t word[4];
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const __half2 two = __floats2half2_rn(v[2 * i], v[2 * i + 1]);
        word[i] = *reinterpret_cast<const uint32_t*>(&two);
    }
    raw = make_uint4(word[0], word[1], word[2], word[3]);
    *reinterpret_cast<uint4*>(p) = raw;
}

__device__ __forceinline__ void store(float* p, const float (&v)[4]) {
    *reinterpret_cast<float4*>(p) = make_float4(v[0], v[1], v[2], v[3]);
}

// W elements of bf16 that lie 2*W bytes aligned.
template <int W>
__device__ __forceinline__ void loadSome(float (&v)[W], const bf16* p) {
    if constexpr (W == 8) {
        load(v, p);
    } else {
        static_assert(W == 4, "half or all of a 16-byte access");
        const uint2 raw = *reinterpret_cast<const uint2*>(p);
        v[0] = lowBf16(raw.x), v[1] = highBf16(raw.x), v[2] = lowBf16(raw.y), v[3] = highBf16(raw.y);
    }
}
