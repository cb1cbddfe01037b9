// States that a sequence carries from step to step, in their stored type; scalars of gates.
#pragma once

#include <cuda_fp16.h>

#include "gates.cuh"
#include "rows.cuh"

// Bytes that a thread moves at once, and the elements that they are.
template <class S>
constexpr int WIDE = 16 / sizeof(S);

// What 16 bytes of a state are, as they lie in memory: half the registers of 16-bit states, or as many as of float32 ones.
__device__ __forceinline__ void widen(float (&v)[8], const uint4& raw, const __half*) {
    const uint32_t word[4] = {raw.x, raw.y, raw.z, raw.w};
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const float2 two = __half22float2(*reinterpret_cast<const __half2*>(&word[i]));
        v[2 * i] = two.x;
        v[2 * i + 1] = two.y;
    }
}

__device__ __forceinline__ void widen(float (&v)[8], const uint4& raw, const bf16*) {
    const uint32_t word[4] = {raw.x, raw.y, raw.z, raw.w};
#pragma unroll
    for (int i = 0; i < 4; i++) {
        v[2 * i] = lowBf16(word[i]);
        v[2 * i + 1] = highBf16(word[i]);
    }
}

__device__ __forceinline__ void widen(float (&v)[4], const uint4& raw, const float*) {
    v[0] = __uint_as_float(raw.x), v[1] = __uint_as_float(raw.y);
    v[2] = __uint_as_float(raw.z), v[3] = __uint_as_float(raw.w);
}

__device__ __forceinline__ void load(float (&v)[8], const __half* p) {
    widen(v, *reinterpret_cast<const uint4*>(p), p);
}

__device__ __forceinline__ void load(float (&v)[4], const float* p) {
    widen(v, *reinterpret_cast<const uint4*>(p), p);
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

// Two neighbours of a state, for kernels that hold it as sums of matrix products.
__device__ __forceinline__ void loadPair(float& low, float& high, const float* p) {
    const float2 v = *reinterpret_cast<const float2*>(p);
    low = v.x, high = v.y;
}
__device__ __forceinline__ void loadPair(float& low, float& high, const __half* p) {
    const float2 v = __half22float2(*reinterpret_cast<const __half2*>(p));
    low = v.x, high = v.y;
}
__device__ __forceinline__ void loadPair(float& low, float& high, const bf16* p) {
    const uint32_t v = *reinterpret_cast<const uint32_t*>(p);
    low = lowBf16(v), high = highBf16(v);
}
__device__ __forceinline__ void storePair(float* p, float low, float high) {
    *reinterpret_cast<float2*>(p) = make_float2(low, high);
}
__device__ __forceinline__ void storePair(__half* p, float low, float high) {
    *reinterpret_cast<__half2*>(p) = __floats2half2_rn(low, high);
}
__device__ __forceinline__ void storePair(bf16* p, float low, float high) {
    *reinterpret_cast<uint32_t*>(p) = packBf16(low, high);
}
