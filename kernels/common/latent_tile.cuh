// Loading 64 rows of the latent cache, 576 elements wide, into nine boxes of shared memory by one warpgroup.
#pragma once

#include "latent.cuh"
#include "paged.cuh"
#include "tile.cuh"

constexpr int LATENT_WIDTH = 576;
constexpr int LATENT_BOXES = LATENT_WIDTH / BOX_COLUMNS;
constexpr int LATENT_ROWS = 64;
constexpr int LATENT_BOX = LATENT_ROWS * BOX_ROW_BYTES;

// Keys `at` .. `at`+63 of a sequence from a bf16 cache into the stage `keys`, zeros from key `to` on, as soon as
// `empty` has passed the phase of this parity; `full` gets an arrival of each thread. 8 threads copy a row's 128 bytes
// of a box.
__device__ __forceinline__ void copyLatent(Barrier& empty, int parity, unsigned char* keys, Barrier& full,
                                           const bf16* cache, const Paged& paged, int sequence, int at, int to) {
    const int chunk = threadIdx.x % 8;
    const int row = threadIdx.x % 128 / 8;
    const bf16* from[4];
#pragma unroll
    for (int i = 0; i < 4; i++) { // the page table answers while the stage is still in use
        const int key = at + row + 16 * i;
        from[i] = cache + (key < to ? paged.row(sequence, key) * LATENT_WIDTH : 0) + chunk * 8;
    }
    empty.wait(parity);
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const uint32_t target = sharedAddress(keys) + chunkOffset(row + 16 * i, chunk);
#pragma unroll
        for (int b = 0; b < LATENT_BOXES; b++) {
            copyChunk(target + b * LATENT_BOX, from[i] + b * BOX_COLUMNS, at + row + 16 * i < to);
        }
    }
    full.arriveAfterCopies();
}

// The same from an e4m3 cache: 4 threads widen a row's 64 bytes of a box.
__device__ __forceinline__ void copyLatent(Barrier& empty, int parity, unsigned char* keys, Barrier& full,
                                           const e4m3* cache, const Paged& paged, int sequence, int at, int to) {
    const int quarter = threadIdx.x % 4;
#pragma unroll
    for (int i = 0; i < 2; i++) {
        const int row = threadIdx.x % 128 / 4 + 32 * i;
        uint4 codes[LATENT_BOXES] = {};
        if (at + row < to) {
            const e4m3* from = cache + paged.row(sequence, at + row) * LATENT_WIDTH + quarter * 16;
#pragma unroll
            for (int b = 0; b < LATENT_BOXES; b++) {
                codes[b] = *reinterpret_cast<const uint4*>(from + b * BOX_COLUMNS);
            }
        }
        if (i == 0) {
            empty.wait(parity);
        }
#pragma unroll
        for (int b = 0; b < LATENT_BOXES; b++) {
            uint4 first, second;
            widenE4m3(codes[b], first, second);
            const uint32_t box = sharedAddress(keys) + b * LATENT_BOX;
            storeChunk(box + chunkOffset(row, 2 * quarter), first);
            storeChunk(box + chunkOffset(row, 2 * quarter + 1), second);
        }
    }
    fenceAsyncProxy();
    full.arrive();
}

// Asks for the same keys to be brought to L2, one row a thread.
template <class C>
__device__ __forceinline__ void prefetchLatent(const C* cache, const Paged& paged, int sequence, int at, int to) {
    const int row = threadIdx.x % 128;
    if (row < LATENT_ROWS && at + row < to) {
        const C* from = cache + paged.row(sequence, at + row) * LATENT_WIDTH;
        asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(from),
                     "r"(static_cast<int>(LATENT_WIDTH * sizeof(C)))
                     : "memory");
    }
}
