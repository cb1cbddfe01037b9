// Root-mean-square normalisation of one row by one block (Zhang and Sennrich 2019, eq. 4).
#pragma once

#include "rows.cuh"
#include "reduce.cuh"

// Gains of bf16, or of float32 where a 1 was added to them; at multiples of 16 bytes where W = 8.
template <int W>
__device__ __forceinline__ void loadGain(float (&v)[W], const bf16* p) {
    load(v, p);
}
template <int W>
__device__ __forceinline__ void loadGain(float (&v)[W], const float* p) {
    if constexpr (W == 8) {
#pragma unroll
        for (int j = 0; j < W; j += 4) {
            const float4 four = *reinterpret_cast<const float4*>(p + j);
            v[j] = four.x;
            v[j + 1] = four.y;
            v[j + 2] = four.z;
            v[j + 3] = four.w;
        }
    } else {
        v[0] = *p;
    }
}

// Calls sink(h, v) with v = x[h..h+W) * gain * rsqrt(mean(x^2) + eps), unrounded. The first HELD vectors of each thread
// stay in registers and come from first(h, v); what a longer row has beyond them is read twice, the second time by
// again(h, v). A thread sinks only elements that it has read, after reading them, so the row may be overwritten.
template <int W, int HELD, class Gain, class First, class Again, class Sink>
__device__ __forceinline__ void rmsNormalise(int H, const Gain* gain, float eps, First first, Again again, Sink sink) {
    const int step = blockDim.x * W;
    const int start = threadIdx.x * W;
    float held[HELD][W];
    float squares = 0;
#pragma unroll
    for (int i = 0; i < HELD; i++) {
        if (start + i * step < H) {
            first(start + i * step, held[i]);
#pragma unroll
            for (int j = 0; j < W; j++) {
                squares += held[i][j] * held[i][j];
            }
        }
    }
    for (int h = start + HELD * step; h < H; h += step) {
        float v[W];
        first(h, v);
#pragma unroll
        for (int j = 0; j < W; j++) {
            squares += v[j] * v[j];
        }
    }
    const float factor = rsqrtf(blockSum(squares) / H + eps);
    auto finish = [&](int h, float (&v)[W]) {
        float g[W];
        loadGain(g, gain + h);
#pragma unroll
        for (int j = 0; j < W; j++) {
            v[j] *= factor * g[j];
        }
        sink(h, v);
    };
#pragma unroll
    for (int i = 0; i < HELD; i++) {
        if (start + i * step < H) {
            finish(start + i * step, held[i]);
        }
    }
    for (int h = start + HELD * step; h < H; h += step) {
        float v[W];
        again(h, v);
        finish(h, v);
    }
}
