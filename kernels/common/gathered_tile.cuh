// Loading 64 chosen rows of a latent cache, 576 elements wide, into nine boxes of shared memory by one warpgroup.
#pragma once

#include "cache_tile.cuh"
#include "cluster.cuh"
#include "latent_tile.cuh"

// A packed row: 512 E4M3, 4 float32 scales, 64 bf16.
struct Packed {
    static constexpr int CODES = 512, ROPE = CODES + 16, BYTES = ROPE + 128;
};

// Brings chosen rows tile by tile: first `open`, before it is known how many rows there are, then `begin`, then tiles
// that follow each other. A stage `keys` gets rows chosen[at] .. chosen[at+63], zeros from `to` on, as soon as `empty`
// has passed the phase of this parity; `full` gets ARRIVALS. At last `end`. Where PAIR, both blocks of a cluster gather
// the same rows, each brings the latent of one half of a tile to both, and `empty` has arrivals of both.
template <class C, bool PAIR>
struct Gather;

template <>
struct Gather<bf16, false> {
    static constexpr int ARRIVALS = 128; // of each thread
    const bf16* cache;
    const int* chosen;
    int to;

    __device__ __forceinline__ void open(int, int) {}

    __device__ __forceinline__ void begin(int, int end) { to = end; }

    __device__ __forceinline__ void tile(Barrier& empty, int parity, unsigned char* keys, Barrier& full, int at) {
        const int chunk = threadIdx.x % 8; // 8 threads share a row of each of four groups of 16
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

    // No thread ends before its copies.
    __device__ __forceinline__ void end() { asm volatile("cp.async.wait_all;" ::: "memory"); }
};

// What a thread brings of the latent of one packed row: 16 codes of each of its eight boxes, and all scales.
struct PackedPiece {
    uint4 codes[8];
    float4 scales;

    // Of a row of the cache, -1 for zeros.
    __device__ __forceinline__ void load(const unsigned char* cache, int index, int lane) {
        const unsigned char* row = start(cache, index);
#pragma unroll
        for (int b = 0; b < 8; b++) {
            codes[b] = index < 0 ? make_uint4(0, 0, 0, 0) : __ldg(reinterpret_cast<const uint4*>(row + 64 * b) + lane);
        }
        scales = index < 0 ? make_float4(0, 0, 0, 0) : __ldg(reinterpret_cast<const float4*>(row + Packed::CODES));
    }

    // Boxes FROM .. FROM+COUNT-1 of this piece to shared memory; in its place come those of row `next`.
    template <int FROM, int COUNT>
    __device__ __forceinline__ void exchange(uint32_t keys, int row, const unsigned char* cache, int next, int lane) {
        const float scale[4] = {scales.x, scales.y, scales.z, scales.w};
        const unsigned char* from = start(cache, next);
#pragma unroll
        for (int b = FROM; b < FROM + COUNT; b++) {
            uint4 halves[2];
            widenToHalf(codes[b], halves);
            codes[b] = next < 0 ? make_uint4(0, 0, 0, 0) : __ldg(reinterpret_cast<const uint4*>(from + 64 * b) + lane);
#pragma unroll
            for (int c = 0; c < 2; c++) {
                const uint32_t word[4] = {halves[c].x, halves[c].y, halves[c].z, halves[c].w};
                uint32_t scaled[4];
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    const float2 v = __half22float2(*reinterpret_cast<const __half2*>(&word[i]));
                    scaled[i] = packBf16(v.x * scale[b / 2], v.y * scale[b / 2]);
                }
                storeChunk(keys + b * LATENT_BOX + swizzledChunk(row, 2 * lane + c),
                           make_uint4(scaled[0], scaled[1], scaled[2], scaled[3]));
            }
        }
        if (FROM + COUNT == 8) {
            scales = next < 0 ? make_float4(0, 0, 0, 0) : __ldg(reinterpret_cast<const float4*>(from + Packed::CODES));
        }
    }

private:
    static __device__ __forceinline__ const unsigned char* start(const unsigned char* cache, int index) {
        return cache + static_cast<int64_t>(max(index, 0)) * Packed::BYTES;
    }
};

// Four threads share a row; a warp has 8 neighbours of each half of a tile, whose part of a box is 1024 bytes side by
// side. Codes come to registers while the half before theirs is widened, a tile ahead where PAIR, and L2 has been asked
// for them a tile before that; a warp sends what it has widened to the other block. The rope columns each block brings
// for all rows: probabilities overwrite them, perhaps before the other block would have got them.
template <bool PAIR>
struct Gather<unsigned char, PAIR> {
    static constexpr int ARRIVALS = 4; // of each warp
    static constexpr int HALVES = PAIR ? 1 : 2;
    static constexpr int BOXES_SENT = 4; // at once
    const unsigned char* cache;
    const int* chosen;
    int to;
    int current[2], next[2]; // rows of this tile and of the one after, this block's half first; -1 where there are none
    PackedPiece piece;     // of the row that is widened next

    __device__ __forceinline__ int lane() const { return threadIdx.x % 4; }

    // Of a tile, in this block's half or, where i = 1, in the other.
    __device__ __forceinline__ int row(int i) const {
        const int half = PAIR ? blockIdx.x % 2 ^ i : i;
        return 32 * half + threadIdx.x % 128 / 4;
    }

    __device__ __forceinline__ void indices(int (&rows)[2], int at, int bound) const {
#pragma unroll
        for (int i = 0; i < 2; i++) {
            const int key = at + row(i);
            rows[i] = -1;
            if (key < bound) { // asked for here, wherever they are needed
                asm volatile("ld.global.nc.b32 %0, [%1];" : "=r"(rows[i]) : "l"(chosen + key));
            }
        }
    }

    __device__ __forceinline__ void open(int at, int bound) { indices(current, at, bound); }

    __device__ __forceinline__ void begin(int at, int end) {
        to = end;
        indices(next, at + LATENT_ROWS, to);
#pragma unroll
        for (int i = 0; i < 2; i++) {
            current[i] = at + row(i) < to ? current[i] : -1;
        }
        piece.load(cache, current[0], lane());
        ask(next);
    }

    __device__ __forceinline__ void tile(Barrier& empty, int parity, unsigned char* keys, Barrier& full, int at) {
        int after[2];
        indices(after, at + 2 * LATENT_ROWS, to);
        if constexpr (PAIR) {
            waitInCluster(empty, parity);
        } else {
            empty.wait(parity);
        }
        const uint32_t target = sharedAddress(keys);
#pragma unroll
        for (int i = 0; i < 2; i++) {
            const unsigned char* rope = cache + static_cast<int64_t>(max(current[i], 0)) * Packed::BYTES + Packed::ROPE;
#pragma unroll
            for (int c = 0; c < 2; c++) { // neighbouring rows in other halves of the banks
                const int chunk = lane() + (row(i) + c) % 2 * 4;
                copyAsync16(target + 8 * LATENT_BOX + swizzledChunk(row(i), chunk), rope + 16 * chunk, current[i] >= 0);
            }
        }
        closeCopyGroup();
#pragma unroll
        for (int i = 0; i < HALVES; i++) {
            const int following = i + 1 < HALVES ? current[i + 1] : next[0];
            piece.exchange<0, BOXES_SENT>(target, row(i), cache, following, lane());
            send(target, full, 0);
            piece.exchange<BOXES_SENT, BOXES_SENT>(target, row(i), cache, following, lane());
            send(target, full, BOXES_SENT);
        }
        awaitCopyGroups<0>();
        showToTensorCores();
        __syncwarp();
        if (threadIdx.x % 32 == 0) {
            if constexpr (PAIR) {
                full.arriveExpecting(8 * ROWS_BYTES);
            } else {
                full.arrive();
            }
        }
        ask(after);
#pragma unroll
        for (int i = 0; i < 2; i++) {
            current[i] = next[i];
            next[i] = after[i];
        }
    }

    __device__ __forceinline__ void end() {}

private:
    static constexpr int ROWS_BYTES = 8 * BOX_ROW_BYTES; // of a warp's rows in a box

    // Asks L2 for this block's rows.
    __device__ __forceinline__ void ask(const int (&rows)[2]) const {
        const int ahead = lane() == 0 ? rows[0] : !PAIR && lane() == 1 ? rows[1] : -1;
        if (ahead >= 0) {
            asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(
                             cache + static_cast<int64_t>(ahead) * Packed::BYTES),
                         "n"(Packed::BYTES));
        }
    }

    // Four boxes of this warp's rows to the same place in the other block.
    __device__ __forceinline__ void send(uint32_t keys, Barrier& full, int first) const {
        if constexpr (PAIR) {
            showToTensorCores();
            __syncwarp();
            if (threadIdx.x % 32 == 0) {
                const uint32_t other = blockIdx.x % 2 ^ 1;
                const uint32_t from = keys + first * LATENT_BOX + row(0) * BOX_ROW_BYTES;
                const uint32_t there = addressIn(from, other);
                const uint32_t barrier = addressIn(sharedAddress(&full.state), other);
#pragma unroll
                for (int b = 0; b < BOXES_SENT; b++) {
                    sendBytes(there + b * LATENT_BOX, from + b * LATENT_BOX, ROWS_BYTES, barrier);
                }
            }
            __syncwarp();
        }
    }
};
