// Loading 64 chosen rows of a latent cache, 576 elements wide, into nine boxes of shared memory by one warpgroup.
#pragma once

#include "cache_tile.cuh"

constexpr int LATENT_WIDTH = 576;
constexpr int LATENT_BOXES = LATENT_WIDTH / BOX_COLUMNS;
constexpr int LATENT_ROWS = 64;
constexpr int LATENT_BOX = LATENT_ROWS * BOX_ROW_BYTES;

// A packed row: 512 E4M3, 4 float32 scales, 64 bf16.
struct Packed {
    static constexpr int CODES = 512, ROPE = CODES + 16, BYTES = ROPE + 128;
};

// Rows chosen[at] .. chosen[at+63] into the stage `keys`, zeros from `to` on, as soon as `empty` has passed the phase of
// this parity; `full` gets an arrival of each thread. 8 threads copy a row's 128 bytes of a box.
__device__ __forceinline__ void gatherLatent(Barrier& empty, int parity, unsigned char* keys, Barrier& full,
                                             const bf16* cache, const int* chosen, int at, int to) {
    const int chunk = threadIdx.x % 8;
    const int row = threadIdx.x % 128 / 8;
    const bf16* from[4];
#pragma unroll
    for (int i = 0; i < 4; i++) { // indices come while the stage is still in use
        const int key = at + row + 16 * i;
        from[i] = cache + (key < to ? static_cast<int64_t>(chosen[key]) * LATENT_WIDTH : 0) + chunk * 8;
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

// What a thread brings of one packed row: 16 codes of each run of 128 with its scale, 8 of the rotated elements.
struct PackedPiece {
    uint4 codes[4];
    float4 scales;
    uint4 rope;

    __device__ __forceinline__ void load(const unsigned char* row, bool present, int lane) {
#pragma unroll
        for (int j = 0; j < 4; j++) {
            codes[j] = present ? __ldg(reinterpret_cast<const uint4*>(row + 128 * j) + lane) : make_uint4(0, 0, 0, 0);
        }
        scales = present ? __ldg(reinterpret_cast<const float4*>(row + Packed::CODES)) : make_float4(0, 0, 0, 0);
        rope = present ? __ldg(reinterpret_cast<const uint4*>(row + Packed::ROPE) + lane) : make_uint4(0, 0, 0, 0);
    }

    // 16 codes of run j are chunks 2*lane and 2*lane+1 of its two boxes.
    __device__ __forceinline__ void store(uint32_t keys, int row, int lane) const {
        const float scale[4] = {scales.x, scales.y, scales.z, scales.w};
#pragma unroll
        for (int j = 0; j < 4; j++) {
            uint4 halves[2];
            widenToHalf(codes[j], halves);
            const uint32_t box = keys + (2 * j + lane / 4) * LATENT_BOX;
#pragma unroll
            for (int c = 0; c < 2; c++) {
                const uint32_t word[4] = {halves[c].x, halves[c].y, halves[c].z, halves[c].w};
                uint32_t scaled[4];
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    const float2 v = __half22float2(*reinterpret_cast<const __half2*>(&word[i]));
                    scaled[i] = packBf16(v.x * scale[j], v.y * scale[j]);
                }
                storeChunk(box + swizzledChunk(row, lane % 4 * 2 + c),
                           make_uint4(scaled[0], scaled[1], scaled[2], scaled[3]));
            }
        }
        storeChunk(keys + 8 * LATENT_BOX + swizzledChunk(row, lane), rope);
    }
};

// The same from packed rows, widened on the way.
__device__ __forceinline__ void gatherLatent(Barrier& empty, int parity, unsigned char* keys, Barrier& full,
                                             const unsigned char* cache, const int* chosen, int at, int to) {
    const int lane = threadIdx.x % 8;
    const int row = threadIdx.x % 128 / 8;
    const unsigned char* from[4];
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const int key = at + row + 16 * i;
        from[i] = cache + (key < to ? static_cast<int64_t>(chosen[key]) * Packed::BYTES : 0);
    }
    PackedPiece piece[2];
    piece[0].load(from[0], at + row < to, lane);
    empty.wait(parity);
#pragma unroll
    for (int i = 0; i < 4; i++) {
        if (i < 3) {
            piece[(i + 1) % 2].load(from[i + 1], at + row + 16 * (i + 1) < to, lane);
        }
        piece[i % 2].store(sharedAddress(keys), row + 16 * i, lane);
    }
    showToTensorCores();
    full.arrive();
}
