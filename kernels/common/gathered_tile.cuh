// Loading 64 chosen rows of a latent cache, 576 elements wide, into nine boxes of shared memory by one warpgroup.
#pragma once

#include "cache_tile.cuh"
#include "latent_tile.cuh"

// A packed row: 512 E4M3, 4 float32 scales, 64 bf16.
struct Packed {
    static constexpr int CODES = 512, ROPE = CODES + 16, BYTES = ROPE + 128;
};

// Brings chosen rows tile by tile. 8 threads share a row of each of four groups of 16; a stage `keys` gets rows
// chosen[at] .. chosen[at+63], zeros from `to` on, as soon as `empty` has passed the phase of this parity; `full` gets an
// arrival of each thread. Tiles must follow each other.
template <class C>
struct Gather;

template <>
struct Gather<bf16> {
    const bf16* cache;
    const int* chosen;
    int to;

    __device__ __forceinline__ void begin(int) {}

    __device__ __forceinline__ void tile(Barrier& empty, int parity, unsigned char* keys, Barrier& full, int at) {
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
};

// What a thread brings of the latent of one packed row: 16 codes of each run of 128 with its scale.
struct PackedPiece {
    uint4 codes[4];
    float4 scales;

    __device__ __forceinline__ void load(const unsigned char* cache, int index, int lane) {
        const unsigned char* row = cache + static_cast<int64_t>(max(index, 0)) * Packed::BYTES;
#pragma unroll
        for (int j = 0; j < 4; j++) {
            codes[j] = index < 0 ? make_uint4(0, 0, 0, 0) : __ldg(reinterpret_cast<const uint4*>(row + 128 * j) + lane);
        }
        scales = index < 0 ? make_float4(0, 0, 0, 0) : __ldg(reinterpret_cast<const float4*>(row + Packed::CODES));
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
    }
};

// Packed rows are widened in registers, two groups behind their loads; L2 has been asked for them a tile before.
template <>
struct Gather<unsigned char> {
    const unsigned char* cache;
    const int* chosen;
    int to;
    int current[4], next[4]; // rows of this tile and of the one after, -1 where there are none
    PackedPiece piece[4];

    __device__ __forceinline__ void indices(int (&row)[4], int at) const {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const int key = at + static_cast<int>(threadIdx.x) % 128 / 8 + 16 * i;
            row[i] = key < to ? __ldg(chosen + key) : -1;
        }
    }

    __device__ __forceinline__ void begin(int at) {
        const int lane = threadIdx.x % 8;
        indices(current, at);
        indices(next, at + LATENT_ROWS);
        piece[0].load(cache, current[0], lane);
        piece[1].load(cache, current[1], lane);
    }

    __device__ __forceinline__ void tile(Barrier& empty, int parity, unsigned char* keys, Barrier& full, int at) {
        const int lane = threadIdx.x % 8;
        const int row = threadIdx.x % 128 / 8;
        int after[4];
        indices(after, at + 2 * LATENT_ROWS);
        const int ahead = lane == 0 ? next[0] : lane == 1 ? next[1] : lane == 2 ? next[2] : lane == 3 ? next[3] : -1;
        if (ahead >= 0) {
            asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(
                             cache + static_cast<int64_t>(ahead) * Packed::BYTES),
                         "n"(Packed::BYTES));
        }
        empty.wait(parity);
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const unsigned char* rope = cache + static_cast<int64_t>(max(current[i], 0)) * Packed::BYTES + Packed::ROPE;
            copyAsync16(sharedAddress(keys) + 8 * LATENT_BOX + swizzledChunk(row + 16 * i, lane), rope + 16 * lane,
                        current[i] >= 0);
        }
        closeCopyGroup();
#pragma unroll
        for (int i = 0; i < 4; i++) {
            piece[(i + 2) % 4].load(cache, i < 2 ? current[i + 2] : next[i - 2], lane);
            piece[i].store(sharedAddress(keys), row + 16 * i, lane);
        }
        awaitCopyGroups<0>();
        showToTensorCores();
        full.arrive();
#pragma unroll
        for (int i = 0; i < 4; i++) {
            current[i] = next[i];
            next[i] = after[i];
        }
    }
};
