// Rows that a warp, or half of one, takes alone: sums of squares of a head or a group, then one factor for its elements.
#pragma once

#include "rows.cuh"

// Elements up to which half a warp takes a row: more lanes would have nothing to load.
constexpr int HALF_ROW = 128;

// As `store`, and one access for sure: of a plain one behind a branch the compiler makes four of 4 bytes.
template <int W>
__device__ __forceinline__ void storeAtOnce(bf16* p, const float (&v)[W]) {
    if constexpr (W == 8) {
        asm volatile("st.global.v4.b32 [%0], {%1, %2, %3, %4};" ::"l"(__cvta_generic_to_global(p)),
                     "r"(packBf16(v[0], v[1])), "r"(packBf16(v[2], v[3])), "r"(packBf16(v[4], v[5])),
                     "r"(packBf16(v[6], v[7]))
                     : "memory");
    } else {
        store(p, v);
    }
}

// Calls sink(i, v, factor) with v = x[i..i+W) as read(i, v) gives it and factor = scale(sum of squares of the row). The
// first HELD vectors of each lane stay in registers; what a longer row has beyond them is read twice.
template <int LANES, int W, int HELD, class Read, class Scale, class Sink>
__device__ __forceinline__ void scaleRow(int width, Read read, Scale scale, Sink sink) {
    constexpr int STEP = LANES * W;
    const int start = threadIdx.x % LANES * W;
    float held[HELD][W];
    float squares = 0;
    auto add = [&](const float (&v)[W]) {
#pragma unroll
        for (int j = 0; j < W; j++) {
            squares += v[j] * v[j];
        }
    };
#pragma unroll
    for (int i = 0; i < HELD; i++) {
        if (start + i * STEP < width) {
            read(start + i * STEP, held[i]);
            add(held[i]);
        }
    }
    for (int i = start + HELD * STEP; i < width; i += STEP) {
        float v[W];
        read(i, v);
        add(v);
    }
#pragma unroll
    for (int distance = LANES / 2; distance > 0; distance /= 2) {
        squares += __shfl_xor_sync(0xFFFFFFFFu, squares, distance);
    }
    const float factor = scale(squares);
#pragma unroll
    for (int i = 0; i < HELD; i++) {
        if (start + i * STEP < width) {
            sink(start + i * STEP, held[i], factor);
        }
    }
    for (int i = start + HELD * STEP; i < width; i += STEP) {
        float v[W];
        read(i, v);
        sink(i, v, factor);
    }
}

// Which row, of rows [T,G], the thread is on; the launch has a warp for each, or half a warp.
struct WarpRow {
    int64_t token;
    int64_t head;
    bool exists;
};

__device__ __forceinline__ WarpRow warpRow(int64_t tokens, int heads, int width) {
    const int lanes = width <= HALF_ROW ? 16 : 32;
    const uint32_t rows = blockDim.x / lanes, of = heads;
    // Divisions of 32 bits: one of 64 takes as long as a load.
    const uint32_t within = blockIdx.x % of * rows + threadIdx.x / lanes;
    const int64_t token = static_cast<int64_t>(blockIdx.x / of) * rows + within / of;
    return {token, within % of, token < tokens};
}
