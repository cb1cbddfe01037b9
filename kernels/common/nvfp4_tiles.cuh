// NVFP4 weights as the products read them: tiles of 128 rows and 128 elements of K, each 9216 bytes side by side, in
// the order [expert, row tile, K/128]; tiles at the edges are filled up with zeros. Rows of a tile are those of
// TileRows.
//
// A tile is 8 KB of codes, then 1 KB of scales; each of eight warps has 16 rows: 1 KB and 128 bytes. A word of codes is
// what thread 4g+t holds of a fragment A of mma or wgmma, rows g and g+8 of the warp's, for one block i of 16 elements:
// four pairs, f0 of row g, elements 2t and 2t+1, f1 the same of row g+8, f2 and f3 eight elements further. The words of
// t = 0..3 lie side by side, those of g and i in chunk 8i + (g ^ 2(i%4)): ldmatrix hands them out by t, a thread that
// reads a chunk has block i by itself, both without bank conflicts. Scales are a word for each g and i%4, byte 2h + j
// that of row g+8h, block i%4 + 4j. A byte b stands for 2^(b/8 - 10) * (1 + b%8 / 8); blocks of scale 0 have codes 0.
//
// Pairs are bf16 bits, even element low: sign in 15, magnitude in 8..6. A word is such that each of them is one masking
// away from the word, shifted, rotated, or the exclusive or of two shifts: eight instructions for eight codes
// (expandTileWord, packTileWord).
#pragma once

#include <cuda_bf16.h>

#include <cstdint>

constexpr int NVFP4_TILE_K = 128;
constexpr int NVFP4_CODE_BYTES = 128 * NVFP4_TILE_K / 2;
constexpr int NVFP4_TILE_BYTES = NVFP4_CODE_BYTES + 128 * NVFP4_TILE_K / 16;
constexpr float NVFP4_TILE_RANGE = 0x1p19f; // expanded weights are 2^-19 times their value

// Both halves of a times one half of b, which costs no instruction of its own.
__device__ inline uint32_t timesLow(uint32_t a, uint32_t b) {
    uint32_t product;
    asm("{\n.reg .b16 low, high;\n.reg .b32 both;\n"
        "mov.b32 {low, high}, %2;\nmov.b32 both, {low, low};\nmul.rn.bf16x2 %0, %1, both;\n}"
        : "=r"(product)
        : "r"(a), "r"(b));
    return product;
}
__device__ inline uint32_t timesHigh(uint32_t a, uint32_t b) {
    uint32_t product;
    asm("{\n.reg .b16 low, high;\n.reg .b32 both;\n"
        "mov.b32 {low, high}, %2;\nmov.b32 both, {high, high};\nmul.rn.bf16x2 %0, %1, both;\n}"
        : "=r"(product)
        : "r"(a), "r"(b));
    return product;
}

// (a & MASK) | BITS in one instruction; the compiler makes two.
template <uint32_t MASK, uint32_t BITS>
__device__ inline uint32_t maskAndSet(uint32_t a) {
    uint32_t result;
    asm("lop3.b32 %0, %1, %2, %3, 0xEA;" : "=r"(result) : "r"(a), "n"(MASK), "n"(BITS));
    return result;
}

// The scales of a word as bf16 times 2^107, of blocks i and i+4: low half row g, high half row g+8.
struct TileScales {
    uint32_t block[2];

    __device__ explicit TileScales(uint32_t word) {
        block[0] = maskAndSet<0x0FF00FF0, 0x70007000>(word << 4);
        block[1] = maskAndSet<0x0FF00FF0, 0x70007000>(word >> 4);
    }
};

constexpr uint32_t TILE_PAIR = 0x81C081C0; // bits of a pair

__device__ inline uint32_t lastTilePair(uint32_t word) {
    return (word << 2 ^ word >> 6) & TILE_PAIR;
}

// A word of codes times scales: exact, since both factors together have six significant bits.
__device__ inline void expandTileWord(uint32_t (&a)[4], uint32_t word, uint32_t scales) {
    a[0] = timesLow(word & TILE_PAIR, scales);
    a[1] = timesHigh(word << 6 & TILE_PAIR, scales);
    a[2] = timesLow((word << 12 | word >> 20) & TILE_PAIR, scales);
    a[3] = timesHigh(lastTilePair(word), scales);
}

// The word that expands to these pairs. Bits 14, 13, 5 and 4 of each half, which the first three leave free, make up
// for what those put into the last; bits 29, 21, 13 and 5 each enter the equation of the next: settled in that order.
__device__ inline uint32_t packTileWord(const uint32_t (&pairs)[4]) {
    const uint32_t word = pairs[0] | pairs[1] >> 6 | (pairs[2] >> 12 | pairs[2] << 20);
    const uint32_t rest = pairs[3] ^ lastTilePair(word);
    uint32_t last = (rest >> 2 & 0x20302030) | (rest << 6 & 0x40004000);
    last ^= last >> 8 & 0x00200000;
    last ^= last >> 8 & 0x00002000;
    last ^= last >> 8 & 0x00000020;
    return word | last;
}
