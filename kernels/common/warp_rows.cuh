// Rows that one warp takes alone: sums of squares of a head or a group, then one factor for its elements.
#pragma once

#include "reduce.cuh"
#include "rows.cuh"

// Calls sink(i, v, factor) with v = x[i..i+W) as read(i, v) gives it and factor = scale(sum of squares of the row). The
// first HELD vectors of each lane stay in registers; what a longer row has beyond them is read twice.
template <int W, int HELD, class Read, class Scale, class Sink>
__device__ __forceinline__ void scaleRow(int width, Read read, Scale scale, Sink sink) {
    constexpr int STEP = 32 * W;
    const int start = threadIdx.x % 32 * W;
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
    const float factor = scale(warpSum(squares));
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

// Which row a warp takes, of rows [T,G]; the launch has a warp for each.
struct WarpRow {
    int64_t token;
    int64_t head;
    bool exists;
};

__device__ __forceinline__ WarpRow warpRow(int64_t tokens, int heads) {
    const int64_t row = static_cast<int64_t>(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32;
    return {row / heads, row % heads, row < tokens * heads};
}
