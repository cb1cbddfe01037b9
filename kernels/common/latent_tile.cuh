// Loading 64 rows of a bf16 latent cache, 576 elements wide, into nine boxes of shared memory by one warpgroup.
#pragma once

#include "attention_products.cuh"
#include "barrier.cuh"
#include "paged.cuh"

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
        const uint32_t target = sharedAddress(keys) + swizzledChunk(row + 16 * i, chunk);
#pragma unroll
        for (int b = 0; b < LATENT_BOXES; b++) {
            copyAsync16(target + b * LATENT_BOX, from[i] + b * BOX_COLUMNS, at + row + 16 * i < to);
        }
    }
    full.arriveAfterCopies();
}
