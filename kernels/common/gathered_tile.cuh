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
// that follow each other. A stage `keys` gets rows chosen[at] .. chosen[at+63] as soon as `empty` has passed the phase of
// this parity; from `to` on zeros, or the last row again; `full` gets ARRIVALS. At last `end`. Where PAIR, both blocks of
// a cluster gather the same rows, each brings the latent of one half of a tile to both, and `empty` has arrivals of both.
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

    // Of a row that starts at `row`.
    __device__ __forceinline__ void load(const unsigned char* row, int lane) {
#pragma unroll
        for (int b = 0; b < 8; b++) {
            codes[b] = ask(row + 64 * b + 16 * lane);
        }
        loadScales(row);
    }

    // Every second box of this piece, the first or the second of each scale, to shared memory; in its place come those of
    // the row that starts at `next`. The first boxes come with the rest of their lines as far as L2, where the second are
    // found soon enough for a wait that is for all loads so far.
    template <int SECOND>
    __device__ __forceinline__ void exchange(uint32_t keys, int row, const unsigned char* next, int lane) {
        const float scale[4] = {scales.x, scales.y, scales.z, scales.w};
#pragma unroll
        for (int b = SECOND; b < 8; b += 2) {
            uint4 halves[2];
            widenToHalf(codes[b], halves);
            codes[b] = ask(next + 64 * b + 16 * lane);
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
        if (SECOND) {
            loadScales(next);
        }
    }

private:
    // Asked for here, wherever it is needed; without a condition, since one would have the answer awaited here, too.
    static __device__ __forceinline__ uint4 ask(const unsigned char* from) {
        uint4 v;
        asm volatile("ld.global.nc.L2::128B.v4.b32 {%0, %1, %2, %3}, [%4];"
                     : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
                     : "l"(from));
        return v;
    }

    __device__ __forceinline__ void loadScales(const unsigned char* row) {
        const uint4 bits = ask(row + Packed::CODES);
        scales = make_float4(__uint_as_float(bits.x), __uint_as_float(bits.y), __uint_as_float(bits.z),
                             __uint_as_float(bits.w));
    }
};

// Four threads share a row; a warp has 8 neighbours of each half of a tile, whose part of a box is 1024 bytes side by
// side. Codes come to registers while the half before theirs is widened, a tile ahead where PAIR; L2 has been asked for
// them a tile before that or, where PAIR, with the first of them. Where PAIR the warps send every second box to the other
// block at once, each one of them. The rope columns each block brings for all rows: their copies are awaited last. Rows
// from `to` on are the last one again.
template <bool PAIR>
struct Gather<unsigned char, PAIR> {
    static constexpr int ARRIVALS = 4; // of each warp
    static constexpr int HALVES = PAIR ? 1 : 2;
    static constexpr int WIDENED = 2; // named barrier of this warpgroup
    const unsigned char* cache;
    const int* chosen;
    int to;
    int current[2], next[2]; // rows of this tile and of the one after, this block's half first
    PackedPiece piece;       // of the row that is widened next

    __device__ __forceinline__ int lane() const { return threadIdx.x % 4; }

    // Of a tile, in this block's half or, where i = 1, in the other.
    __device__ __forceinline__ int row(int i) const {
        const int half = PAIR ? blockIdx.x % 2 ^ i : i;
        return 32 * half + threadIdx.x % 128 / 4;
    }

    __device__ __forceinline__ int index(int key) const { // asked for here, wherever it is needed
        int row;
        asm volatile("ld.global.nc.b32 %0, [%1];" : "=r"(row) : "l"(chosen + key));
        return row;
    }

    __device__ __forceinline__ void indices(int (&rows)[2], int at, int bound) const {
#pragma unroll
        for (int i = 0; i < 2; i++) {
            rows[i] = index(min(at + row(i), bound - 1));
        }
    }

    __device__ __forceinline__ const unsigned char* start(int index) const {
        return cache + static_cast<int64_t>(index) * Packed::BYTES;
    }

    __device__ __forceinline__ void open(int at, int bound) { indices(current, at, bound); }

    __device__ __forceinline__ void begin(int at, int end) {
        to = end;
        indices(next, at + LATENT_ROWS, to);
        if (at + LATENT_ROWS > to) { // what was listed there may be no row
            indices(current, at, to);
        }
        piece.load(start(current[0]), lane());
        ask(next);
    }

    __device__ __forceinline__ void tile(Barrier& empty, int parity, unsigned char* keys, Barrier& full, int at) {
        int after[2];
        indices(after, at + 2 * LATENT_ROWS, to);
        empty.wait(parity);
        const uint32_t target = sharedAddress(keys);
#pragma unroll
        for (int i = 0; i < 2; i++) {
            const unsigned char* rope = start(current[i]) + Packed::ROPE;
#pragma unroll
            for (int c = 0; c < 2; c++) { // neighbouring rows in other halves of the banks
                const int chunk = lane() + (row(i) + c) % 2 * 4;
                copyAsync16(target + 8 * LATENT_BOX + swizzledChunk(row(i), chunk), rope + 16 * chunk, true);
            }
        }
        closeCopyGroup();
#pragma unroll
        for (int i = 0; i < HALVES; i++) {
            const unsigned char* following = start(i + 1 < HALVES ? current[i + 1] : next[0]);
            piece.exchange<0>(target, row(i), following, lane());
            if constexpr (PAIR) {
                asm volatile("prefetch.global.L2 [%0];" ::"l"(following + Packed::CODES + 47 * lane())); // to its end
                showToTensorCores();
                send(target, full, 0);
            }
            piece.exchange<1>(target, row(i), following, lane());
        }
        awaitCopyGroups<0>();
        showToTensorCores();
        if constexpr (PAIR) {
            send(target, full, 1);
        } else {
            __syncwarp();
        }
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

    // Asks L2 for rows, where their codes do not come to registers as early.
    __device__ __forceinline__ void ask(const int (&rows)[2]) const {
        if (!PAIR && lane() < 2) {
            asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(start(lane() == 0 ? rows[0] : rows[1])),
                         "n"(Packed::BYTES));
        }
    }

    // Every second box of this block's rows from `first` on, which their threads have shown, to the same place in the other
    // block.
    __device__ __forceinline__ void send(uint32_t keys, Barrier& full, int first) const {
        syncNamed(WIDENED, 128);
        if (threadIdx.x % 32 == 0) {
            const uint32_t other = blockIdx.x % 2 ^ 1;
            const int box = first + threadIdx.x % 128 / 32 * 2;
            const uint32_t from = keys + box * LATENT_BOX + blockIdx.x % 2 * 4 * ROWS_BYTES;
            sendBytes(addressIn(from, other), from, 4 * ROWS_BYTES, addressIn(sharedAddress(&full.state), other));
        }
        __syncwarp();
    }
};
