// NVFP4 in registers: E2M1 codes times E4M3 block scales as bf16. The product needs 6 significant bits of bf16's 8, so
// it is exact; it is made 2^8 times too small, which keeps both factors in range and is undone by NVFP4_RANGE.
#pragma once

#include <cuda_bf16.h>

#include <cstdint>

constexpr float NVFP4_RANGE = 256;

__device__ inline uint32_t multiplyBf16Pairs(uint32_t a, uint32_t b) {
    uint32_t product;
    asm("mul.rn.bf16x2 %0, %1, %2;" : "=r"(product) : "r"(a), "r"(b));
    return product;
}

// Four E4M3 block scales of one word: scales 0 and 2, then 1 and 3, as packed bf16, times 2^118.
struct BlockScales {
    uint32_t even, odd;

    __device__ explicit BlockScales(uint32_t word) : even(pair(word)), odd(pair(word >> 8)) {}

    // Scale i in both halves.
    __device__ uint32_t twice(int i) const {
        return __byte_perm(i % 2 == 0 ? even : odd, 0, i / 2 == 0 ? 0x1010 : 0x3232);
    }

private:
    // Exponent and mantissa moved into place are the value times 2^-120, subnormals included.
    __device__ static uint32_t pair(uint32_t word) {
        constexpr uint32_t TWO_TO_120 = 0x7B807B80, TWO_TO_118 = 0x7A807A80;
        const uint32_t moved = (word & 0x007F007F) << 4 | (word & 0x00800080) << 8;
        return multiplyBf16Pairs(multiplyBf16Pairs(moved, TWO_TO_120), TWO_TO_118);
    }
};

// Two E2M1 codes, the low nibble of a byte first, as packed bf16 times 2^-126: sign and magnitude moved into place.
// Each multiplication is two shifts, one for either nibble, which do not overlap.
__device__ inline uint32_t expandCodes(uint32_t byte) {
    return (byte * 0x01001000 & 0x80008000) | (byte * 0x00040040 & 0x01C001C0);
}
