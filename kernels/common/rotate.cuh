// Rotation of pairs of one head's elements by an angle per pair (Su et al. 2021, eq. 34).
#pragma once

#include "rows.cuh"

// Which elements form a pair.
enum class Pairs {
    INTERLEAVED, // (x[2i], x[2i+1])
    HALF_SPLIT   // (x[i], x[i+D/2])
};

// Whether heads of D elements rotate in 16-byte accesses.
template <Pairs P>
__device__ __forceinline__ bool wideHeads(const bf16* x, int64_t tokenStep, int64_t headStep, int D) {
    return wideRows(x, tokenStep | headStep, P == Pairs::INTERLEAVED ? D : D / 2);
}

// Items that a head of D elements consists of: what one thread rotates at a time.
template <Pairs P, int W>
__device__ __forceinline__ int rotationItems(int D) {
    return P == Pairs::INTERLEAVED && W == 8 ? D / 8 : D / 2 / W;
}

// Rotates item `item` of the head x into y, which may be x; `angles` holds D/2 cosines, then D/2 sines.
// sink(d, v) sees the W rounded elements from d on, twice for halves and for single pairs.
template <Pairs P, int W, class Sink>
__device__ __forceinline__ void rotate(
    bf16* y, const bf16* x, const float* angles, int D, int item, Sink sink) {
    if constexpr (P == Pairs::INTERLEAVED && W == 8) {
        float v[8];
        load(v, x + 8 * item);
#pragma unroll
        for (int p = 0; p < 4; p++) {
            const float c = angles[4 * item + p];
            const float s = angles[D / 2 + 4 * item + p];
            const float first = v[2 * p], second = v[2 * p + 1];
            v[2 * p] = rounded(first * c - second * s);
            v[2 * p + 1] = rounded(second * c + first * s);
        }
        store(y + 8 * item, v);
        sink(8 * item, v);
    } else {
        const int i = P == Pairs::INTERLEAVED ? 2 * item : item * W;
        const int partner = P == Pairs::INTERLEAVED ? i + 1 : i + D / 2;
        float u[W], v[W];
        load(u, x + i);
        load(v, x + partner);
#pragma unroll
        for (int j = 0; j < W; j++) {
            const float c = angles[item * W + j];
            const float s = angles[D / 2 + item * W + j];
            const float first = u[j], second = v[j];
            u[j] = rounded(first * c - second * s);
            v[j] = rounded(second * c + first * s);
        }
        store(y + i, u);
        store(y + partner, v);
        sink(i, u);
        sink(partner, v);
    }
}
