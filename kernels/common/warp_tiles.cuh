// Tiles of bf16 in shared memory, swizzled so that the loads of a warp's fragments meet no bank twice, and those loads.
//
// A row has ROW bytes: 64, 128 or 256. Its 16-byte chunk c lies at chunk c ^ (r / (128 / ROW)) % 8, of the row's own.
#pragma once

#include "async_copy.cuh"
#include "bf16.cuh"
#include "warp_product.cuh"

template <int ROW>
struct WarpTile {
    static_assert(ROW == 64 || ROW == 128 || ROW == 256, "rows of 32, 64 or 128 elements");
    static constexpr int CHUNKS = ROW / 16;
    uint32_t base; // in shared memory, a multiple of 128

    __device__ static int offset(int row, int chunk) {
        const int spread = ROW == 64 ? row / 2 % 4 : row % 8;
        return row * ROW + ((chunk ^ spread) << 4);
    }
    __device__ uint32_t at(int row, int chunk) const {
        return base + offset(row, chunk);
    }
    // A operand: rows row .. row+15, columns 16k .. 16k+15 of a tile that lies as [m][k].
    __device__ void left(uint32_t (&a)[4], int row, int k) const {
        const int lane = threadIdx.x % 32;
        loadMatrices(a, at(row + lane % 16, 2 * k + lane / 16));
    }
    // A operand from a tile that lies as [k][m]: columns m .. m+15 become its rows, rows 16k .. 16k+15 its columns.
    __device__ void leftTransposed(uint32_t (&a)[4], int m, int k) const {
        const int lane = threadIdx.x % 32;
        loadMatricesTransposed(a, at(16 * k + lane / 16 * 8 + lane % 8, m / 8 + lane / 8 % 2));
    }
    // Two B operands, neighbours along n, from a tile that lies as [n][k].
    __device__ void right(uint32_t (&b)[2][2], int n, int k) const {
        const int lane = threadIdx.x % 32;
        uint32_t m[4];
        loadMatrices(m, at(n + lane / 16 * 8 + lane % 8, 2 * k + lane / 8 % 2));
        b[0][0] = m[0], b[0][1] = m[1], b[1][0] = m[2], b[1][1] = m[3];
    }
    // Two B operands, neighbours along n, from a tile that lies as [k][n].
    __device__ void rightTransposed(uint32_t (&b)[2][2], int n, int k) const {
        const int lane = threadIdx.x % 32;
        uint32_t m[4];
        loadMatricesTransposed(m, at(16 * k + lane % 16, n / 8 + lane / 16));
        b[0][0] = m[0], b[0][1] = m[1], b[1][0] = m[2], b[1][1] = m[3];
    }
    // Where a thread's two neighbours of a product's sums lie: row, and columns 8*chunk + 2*(lane % 4) and the next.
    __device__ uint32_t pair(int row, int chunk) const {
        return at(row, chunk) + threadIdx.x % 4 * 4;
    }
};

__device__ inline void storeShared(uint32_t address, uint32_t word) {
    asm volatile("st.shared.b32 [%0], %1;" ::"r"(address), "r"(word) : "memory");
}
__device__ inline uint32_t loadShared(uint32_t address) {
    uint32_t word;
    asm volatile("ld.shared.b32 %0, [%1];" : "=r"(word) : "r"(address) : "memory");
    return word;
}
__device__ inline uint4 loadShared16(uint32_t address) {
    uint4 v;
    asm volatile("ld.shared.v4.b32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
                 : "r"(address)
                 : "memory");
    return v;
}

// Sums of two neighbouring [16,8] tiles as the A operand of a product over their 16 columns.
__device__ inline void packLeft(uint32_t (&a)[4], const float (&low)[4], const float (&high)[4]) {
    a[0] = packBf16(low[0], low[1]), a[1] = packBf16(low[2], low[3]);
    a[2] = packBf16(high[0], high[1]), a[3] = packBf16(high[2], high[3]);
}

// The first `rows` rows of a [.., ROW/2] matrix, `step` elements apart, into a tile of ROWS rows; those behind are zeros. A
// thread copies the same columns of every row it comes to, and THREADS / CHUNKS rows leave the swizzle as it is.
template <int ROW, int ROWS, int THREADS>
__device__ inline void copyRows(WarpTile<ROW> tile, const bf16* from, int64_t step, int rows) {
    constexpr int CHUNKS = WarpTile<ROW>::CHUNKS;
    constexpr int TOGETHER = THREADS / CHUNKS;
    static_assert(ROWS % TOGETHER == 0 && TOGETHER % 8 == 0, "whole rounds of whole swizzles");
    int thread; // volatile: addresses are made when they are needed, not kept in registers over the loops of products
    asm volatile("mov.u32 %0, %%tid.x;" : "=r"(thread));
    const int row = thread / CHUNKS;
    const int chunk = thread % CHUNKS;
    const uint32_t to = tile.at(row, chunk);
    const bf16* there = from += chunk * 8;
    there += row * step;
#pragma unroll 4
    for (int i = 0; i < ROWS / TOGETHER; i++) {
        const bool valid = row + i * TOGETHER < rows;
        copyAsync16(to + i * TOGETHER * ROW, valid ? there : from, valid);
        there += TOGETHER * step;
    }
}
