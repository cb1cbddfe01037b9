// Rows of queries in shared memory as one warpgroup prepares them for its products.
#pragma once

#include "async_copy.cuh"
#include "attention_products.cuh"

constexpr int QUERY_ROWS = 64; // of a warpgroup
constexpr int QUERY_BOX_BYTES = QUERY_ROWS * BOX_ROW_BYTES;

__device__ inline void storeWord(uint32_t to, uint32_t v) {
    asm volatile("st.shared.b32 [%0], %1;" ::"r"(to), "r"(v) : "memory");
}

// Which rows: row r holds query r / heads of a sequence and head r % heads of those that `q` starts with.
struct QueryRows {
    const bf16* q; // of the sequence's first query
    int64_t token, head;
    int heads, first, rows;

    __device__ __forceinline__ const bf16* at(int row) const { return q + row / heads * token + row % heads * head; }

    // Boxes `from` .. `to`-1 of the rows from `first` on, zeros from row `rows` on; the warpgroup awaits its copies
    // afterwards.
    __device__ __forceinline__ void copy(uint32_t boxes, int from, int to) const {
        const int chunk = threadIdx.x % 8;
        for (int r = threadIdx.x % 128 / 8; r < QUERY_ROWS; r += 16) {
            const int row = first + r;
            const bf16* source = at(row < rows ? row : 0) + chunk * 8;
            for (int b = from; b < to; b++) {
                copyAsync16(boxes + (b - from) * QUERY_BOX_BYTES + swizzledChunk(r, chunk), source + b * BOX_COLUMNS,
                            row < rows);
            }
        }
    }
};

// Turns bf16 queries into f16, each row by the power of two that brings its largest element to 2^14 .. 2^15, and
// divides the rows' `scale` by it. `box(b)` is the address of box b; `row` is the first of the thread's two rows.
template <class Box>
__device__ __forceinline__ void queriesToHalf(int boxes, Box box, float (&scale)[2], int row) {
    const int firstRow = threadIdx.x % 128 / 32 * 16;
    uint32_t top[2] = {0, 0};
    uint32_t a[4];
    for (int k = 0; k < 4 * boxes; k++) {
        loadRows(a, box(k / 4), firstRow, k % 4);
#pragma unroll
        for (int i = 0; i < 4; i++) {
            top[i % 2] = __vmaxu2(top[i % 2], a[i] & 0x7FFF7FFF);
        }
    }
    float factor[2];
#pragma unroll
    for (int half = 0; half < 2; half++) {
        uint32_t t = max(top[half] & 0xFFFF, top[half] >> 16);
        t = max(t, __shfl_xor_sync(0xFFFFFFFFu, t, 1));
        t = max(t, __shfl_xor_sync(0xFFFFFFFFu, t, 2));
        const int exponent = min(253, 268 - static_cast<int>(t >> 7)); // as a float's bits have it
        factor[half] = __uint_as_float(exponent << 23);
        scale[half] *= __uint_as_float((254 - exponent) << 23);
    }
    for (int k = 0; k < 4 * boxes; k++) {
        loadRows(a, box(k / 4), firstRow, k % 4);
#pragma unroll
        for (int i = 0; i < 4; i++) {
            storeWord(box(k / 4) + swizzledChunk(row + 8 * (i % 2), 2 * (k % 4) + i / 2) + threadIdx.x % 4 * 4,
                      pack<__half>(lowBf16(a[i]) * factor[i % 2], highBf16(a[i]) * factor[i % 2]));
        }
    }
    __syncwarp();
}
