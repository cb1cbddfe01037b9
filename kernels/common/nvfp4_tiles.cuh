// NVFP4 weights as the products read them: tiles of 128 rows and 128 elements of K, each 9216 bytes side by side, in
// the order [expert, row tile, K/128]; tiles at the edges are filled up with zeros. Rows of a tile are those of
// TileRows.
//
// A tile is 8 KB of codes, then 1 KB of scales. Thread 4g+t of warp w (of 8) holds the A fragments of rows r = 16w+g
// and r+8: eight words of codes, one for each product of 16 elements, the first four words of all threads of a warp
// before the others. A word has the fragment's four pairs in its halves, even element low: row r elements 2t, 2t+1 in
// bits 15 (sign), 8..6; row r+8 in 9, 2..0; row r elements 2t+8, 2t+9 in 14, 5..3; row r+8 in 13, 12..10. Scales are 16
// bytes for each pair of rows, byte 4i + 2h + j that of row r+8h, product 2i+j. A byte b stands for 2^(b/8 - 10) * (1 +
// b%8 / 8); blocks of scale 0 have codes 0.
#pragma once

#include <cuda_bf16.h>

#include <cstdint>

constexpr int NVFP4_TILE_K = 128;
constexpr int NVFP4_CODE_BYTES = 128 * NVFP4_TILE_K / 2;
constexpr int NVFP4_TILE_BYTES = NVFP4_CODE_BYTES + 128 * NVFP4_TILE_K / 16;
constexpr float NVFP4_TILE_RANGE = 0x1p19f; // expanded weights are 2^-19 times their value

__device__ inline uint32_t timesPair(uint32_t a, uint32_t b) {
    uint32_t product;
    asm("mul.rn.bf16x2 %0, %1, %2;" : "=r"(product) : "r"(a), "r"(b));
    return product;
}

// The four scales of a word as bf16 times 2^107: low half row r, high half row r+8.
struct TileScales {
    uint32_t product[2];

    __device__ explicit TileScales(uint32_t word) {
        product[0] = (word << 4 & 0x0FF00FF0) | 0x70007000;
        product[1] = (word >> 4 & 0x0FF00FF0) | 0x70007000;
    }
};

// A word of codes times scales: exact, since both factors together have six significant bits.
__device__ inline void expandTileWord(uint32_t (&a)[4], uint32_t word, uint32_t scales) {
    constexpr uint32_t SIGN = 0x80008000, MAGNITUDE = 0x01C001C0;
    const uint32_t low = __byte_perm(scales, 0, 0x1010), high = __byte_perm(scales, 0, 0x3232);
    a[0] = timesPair(word & (SIGN | MAGNITUDE), low);
    a[1] = timesPair(word << 6 & (SIGN | MAGNITUDE), high);
    a[2] = timesPair((word << 1 & SIGN) | (word << 3 & MAGNITUDE), low);
    a[3] = timesPair((word << 2 & SIGN) | (word >> 4 & MAGNITUDE), high);
}
