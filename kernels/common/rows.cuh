// Rows of bf16 as kernels move them: W at a time, W = 8 where rows allow 16-byte accesses, else 1.
#pragma once

#include "bf16.cuh"

// Whether a row of `width` elements, and every row `stride` elements further, moves in 16-byte accesses.
__device__ __forceinline__ bool wideRows(const bf16* row, int64_t stride, int64_t width) {
    return ((reinterpret_cast<uintptr_t>(row) & 15) | ((stride | width) & 7)) == 0;
}

template <int W>
__device__ __forceinline__ void load(float (&v)[W], const bf16* p) {
    static_assert(W == 8 || W == 1, "one 16-byte access or one element");
    if constexpr (W == 8) {
        const uint4 raw = *reinterpret_cast<const uint4*>(p);
        const uint32_t word[4] = {raw.x, raw.y, raw.z, raw.w};
#pragma unroll
        for (int i = 0; i < 4; i++) {
            v[2 * i] = lowBf16(word[i]);
            v[2 * i + 1] = highBf16(word[i]);
        }
    } else {
        v[0] = __bfloat162float(*p);
    }
}

template <int W>
__device__ __forceinline__ void store(bf16* p, const float (&v)[W]) {
    static_assert(W == 8 || W == 1, "one 16-byte access or one element");
    if constexpr (W == 8) {
        *reinterpret_cast<uint4*>(p) =
            make_uint4(packBf16(v[0], v[1]), packBf16(v[2], v[3]), packBf16(v[4], v[5]), packBf16(v[6], v[7]));
    } else {
        *p = __float2bfloat16_rn(v[0]);
    }
}

// What storing and loading again would give.
__device__ __forceinline__ float rounded(float v) {
    return __bfloat162float(__float2bfloat16_rn(v));
}
