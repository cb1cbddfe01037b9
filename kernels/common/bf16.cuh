// bfloat16 in registers: eight elements are one 16-byte vector.
#pragma once

#include <cuda_bf16.h>

#include <cstdint>

using bf16 = __nv_bfloat16;

// Two floats as one word of two bf16, the first in the low half.
__device__ inline uint32_t packBf16(float low, float high) {
    uint32_t packed;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
    return packed;
}

// The first and the second of two packed bf16; exact.
__device__ inline float lowBf16(uint32_t packed) {
    return __uint_as_float(packed << 16);
}
__device__ inline float highBf16(uint32_t packed) {
    return __uint_as_float(packed & 0xFFFF0000u);
}
