// Elements of the latent cache: bf16, or E4M3 with scale 1.
#pragma once

#include <cuda_fp8.h>

#include "rows.cuh"

using e4m3 = __nv_fp8_storage_t;

// To nearest even, saturating at 448; NaN becomes 0x7F.
__device__ __forceinline__ e4m3 encodeE4m3(float v) {
    return __nv_cvt_float_to_fp8(v, __NV_SATFINITE, __NV_E4M3);
}

__device__ __forceinline__ float decodeE4m3(e4m3 v) {
    return __half2float(__half(__nv_cvt_fp8_to_halfraw(v, __NV_E4M3)));
}

// Four codes as two pairs of bf16, exact, since bf16 holds every E4M3 value; NaN codes excepted. Sign and magnitude
// move to their places, and the product makes up for the exponents' biases: 2^(127-7).
__device__ __forceinline__ uint2 widenNumbers(uint32_t codes) {
    const uint32_t pair[2] = {__byte_perm(codes, 0, 0x1404), __byte_perm(codes, 0, 0x3424)};
    uint32_t wide[2];
#pragma unroll
    for (int i = 0; i < 2; i++) {
        const uint32_t moved = (pair[i] & 0x80008000u) | (pair[i] >> 4 & 0x07F007F0u);
        asm("mul.rn.bf16x2 %0, %1, %2;" : "=r"(wide[i]) : "r"(moved), "r"(0x7B807B80u));
    }
    return make_uint2(wide[0], wide[1]);
}

// The same with the conversion instructions, which know NaN but are few per cycle.
__device__ __forceinline__ uint2 widenAny(uint32_t codes) {
    uint32_t wide[2];
#pragma unroll
    for (int i = 0; i < 2; i++) {
        const __half2 halves = __half2(__nv_cvt_fp8x2_to_halfraw2(codes >> (16 * i) & 0xFFFF, __NV_E4M3));
        wide[i] = packBf16(__low2float(halves), __high2float(halves));
    }
    return make_uint2(wide[0], wide[1]);
}

// Sixteen codes as bf16: `first` gets the first eight.
__device__ __forceinline__ void widenE4m3(const uint4& codes, uint4& first, uint4& second) {
    const uint32_t word[4] = {codes.x, codes.y, codes.z, codes.w};
    uint32_t nan = 0;
    uint2 wide[4];
#pragma unroll
    for (int i = 0; i < 4; i++) {
        nan |= (word[i] & 0x7F7F7F7Fu) + 0x01010101u; // bit 7 of a byte: its magnitude is 0x7F
        wide[i] = widenNumbers(word[i]);
    }
    if (nan & 0x80808080u) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            wide[i] = widenAny(word[i]);
        }
    }
    first = make_uint4(wide[0].x, wide[0].y, wide[1].x, wide[1].y);
    second = make_uint4(wide[2].x, wide[2].y, wide[3].x, wide[3].y);
}

// Whether cache rows of `width` elements take eight elements per access.
template <class C>
__device__ __forceinline__ bool wideCache(const C* cache, int64_t width) {
    return reinterpret_cast<uintptr_t>(cache) % (8 * sizeof(C)) == 0 && width % 8 == 0;
}

template <int W>
__device__ __forceinline__ void store(e4m3* p, const float (&v)[W]) {
    if constexpr (W == 8) {
        uint32_t word[2];
#pragma unroll
        for (int i = 0; i < 2; i++) {
            word[i] = __nv_cvt_float2_to_fp8x2(make_float2(v[4 * i], v[4 * i + 1]), __NV_SATFINITE, __NV_E4M3) |
                      __nv_cvt_float2_to_fp8x2(make_float2(v[4 * i + 2], v[4 * i + 3]), __NV_SATFINITE, __NV_E4M3)
                          << 16;
        }
        *reinterpret_cast<uint2*>(p) = make_uint2(word[0], word[1]);
    } else {
        *p = encodeE4m3(v[0]);
    }
}

template <int W>
__device__ __forceinline__ void load(float (&v)[W], const e4m3* p) {
    if constexpr (W == 8) {
        const uint2 raw = *reinterpret_cast<const uint2*>(p);
        const uint32_t word[2] = {raw.x, raw.y};
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const __half2 halves =
                __half2(__nv_cvt_fp8x2_to_halfraw2(word[i / 2] >> (16 * (i % 2)) & 0xFFFF, __NV_E4M3));
            v[2 * i] = __low2float(halves);
            v[2 * i + 1] = __high2float(halves);
        }
    } else {
        v[0] = decodeE4m3(*p);
    }
}
