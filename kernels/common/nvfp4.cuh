// NVFP4 in registers: E2M1 codes times E4M3 block scales as bf16, exactly (2 + 4 significant bits of 8).
#pragma once

#include <cuda_bf16.h>

#include <cstdint>

__device__ inline uint32_t multiplyBf16Pairs(uint32_t a, uint32_t b) {
    uint32_t product;
    asm("mul.rn.bf16x2 %0, %1, %2;" : "=r"(product) : "r"(a), "r"(b));
    return product;
}

// Four E4M3 block scales of one word: scales 0 and 2, then 1 and 3, as packed bf16.
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
        constexpr uint32_t TWO_TO_120 = 0x7B807B80;
        return multiplyBf16Pairs((word & 0x007F007F) << 4 | (word & 0x00800080) << 8, TWO_TO_120);
    }
};

// Four E2M1 codes in the low half of a word, the first in the lowest nibble, as two words of packed bf16. Each byte of
// the results is looked up by the three magnitude bits; __byte_perm's sign mode spreads the sign bits.
__device__ inline void expandCodes(uint32_t codes, uint32_t& first, uint32_t& second) {
    const uint32_t magnitudes = codes & 0x7777;
    const uint32_t low = __byte_perm(0xC0800000, 0xC0804000, magnitudes);
    uint32_t signs; // 0xFF for a negative code, 0x80 for another; __byte_perm would clear the mode bits
    asm("prmt.b32 %0, %1, %1, %2;" : "=r"(signs) : "r"(0x80808080), "r"(codes));
    const uint32_t high = __byte_perm(0x3F3F3F00, 0x40404040, magnitudes) | (signs << 7 & 0x80808080);
    first = __byte_perm(low, high, 0x5140);
    second = __byte_perm(low, high, 0x7362);
}
