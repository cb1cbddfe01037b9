// Tokens, their experts' ranks, and how warps share them out.
#pragma once

#include "peers.cuh"

constexpr int PEER_WARPS = PEER_THREADS / 32;

// Bit r for each rank r that has one of the experts ids[0..k), k at most 32; each rank has as many, in order. All lanes
// of a warp ask for the same token.
__device__ inline uint64_t ranksOf(const int* ids, int k, int expertsPerRank) {
    const int lane = threadIdx.x % 32;
    const uint64_t own = lane < k ? 1ull << (ids[lane] / expertsPerRank) : 0;
    const uint32_t low = __reduce_or_sync(~0u, static_cast<uint32_t>(own));
    const uint32_t high = __reduce_or_sync(~0u, static_cast<uint32_t>(own >> 32));
    return static_cast<uint64_t>(high) << 32 | low;
}

// Takes the lowest rank out of a set that is not empty.
__device__ inline int nextRank(uint64_t& ranks) {
    const int rank = __ffsll(static_cast<long long>(ranks)) - 1;
    ranks &= ranks - 1;
    return rank;
}

// Work of the grid's warps: parts of rows, `width` accesses each of a row's `steps`.
struct RowParts {
    int parts; // of a row
    int task;  // this warp's next
    int tasks;

    __device__ RowParts(int64_t rows, int64_t steps, int width)
        : parts(static_cast<int>((steps + width - 1) / width)),
          task(blockIdx.x * PEER_WARPS + threadIdx.x / 32),
          tasks(static_cast<int>(rows * parts)) {}

    __device__ bool more() const {
        return task < tasks;
    }
    __device__ int row() const {
        return task / parts;
    }
    __device__ int part() const {
        return task % parts;
    }
    __device__ void next() {
        task += gridDim.x * PEER_WARPS;
    }
};

constexpr int LANE_STEPS = 4;               // accesses of a lane, on their way together
constexpr int PART_STEPS = 32 * LANE_STEPS; // of a warp

// Copies the warp's part of a row.
template <typename V>
__device__ inline void copyPart(V* to, const V* from, const RowParts& work, int64_t steps) {
    const int64_t begin = work.part() * PART_STEPS + threadIdx.x % 32;
    V part[LANE_STEPS] = {};
#pragma unroll
    for (int j = 0; j < LANE_STEPS; j++) {
        if (begin + 32 * j < steps) {
            part[j] = from[begin + 32 * j];
        }
    }
#pragma unroll
    for (int j = 0; j < LANE_STEPS; j++) {
        if (begin + 32 * j < steps) {
            to[begin + 32 * j] = part[j];
        }
    }
}
