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

// Two codes, the first in the low byte, as two bf16 in the same order: exact, since bf16 holds every E4M3 value.
__device__ __forceinline__ uint32_t widenE4m3(uint16_t codes) {
    const __half2 halves = __half2(__nv_cvt_fp8x2_to_halfraw2(codes, __NV_E4M3));
    return packBf16(__low2float(halves), __high2float(halves));
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
