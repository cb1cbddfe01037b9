// Rotation of pairs of one head's elements by an angle per pair (Su et al. 2021, eq. 34).
#pragma once

#include "latent.cuh"

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

template <Pairs P>
__device__ __forceinline__ bool wideHeads(const e4m3* x, int64_t tokenStep, int64_t headStep, int D) {
    return wideCache(x, tokenStep | headStep | (P == Pairs::INTERLEAVED ? D : D / 2));
}

// What becomes of a rotated element before it is stored as a Y: codes are rounded once, by being stored.
template <class Y>
__device__ __forceinline__ float rotated(float v) {
    if constexpr (sizeof(Y) == sizeof(bf16)) {
        return rounded(v);
    } else {
        return v;
    }
}

// N angles' cosines and sines from index i on; `angles` holds D/2 cosines, then D/2 sines.
template <int N>
__device__ __forceinline__ void loadAngles(float (&c)[N], float (&s)[N], const float* angles, int D, int i) {
    if constexpr (N % 4 == 0) {
#pragma unroll
        for (int j = 0; j < N; j += 4) {
            *reinterpret_cast<float4*>(c + j) = *reinterpret_cast<const float4*>(angles + i + j);
            *reinterpret_cast<float4*>(s + j) = *reinterpret_cast<const float4*>(angles + D / 2 + i + j);
        }
    } else {
        c[0] = angles[i];
        s[0] = angles[D / 2 + i];
    }
}

// Items that a head of D elements consists of: what one thread rotates at a time.
template <Pairs P, int W>
__device__ __forceinline__ int rotationItems(int D) {
    return P == Pairs::INTERLEAVED && W == 8 ? D / 8 : D / 2 / W;
}

// Rotates item `item` of the head x into y, which may be x. sink(d, v) sees W elements from d on as they go to y, once for
// eight interleaved ones, else once for either side of the pairs.
template <Pairs P, int W, class Y, class Sink>
__device__ __forceinline__ void rotate(
    Y* y, const bf16* x, const float* angles, int D, int item, Sink sink) {
    if constexpr (P == Pairs::INTERLEAVED && W == 8) {
        float v[8];
        alignas(16) float c[4], s[4];
        load(v, x + 8 * item);
        loadAngles(c, s, angles, D, 4 * item);
#pragma unroll
        for (int p = 0; p < 4; p++) {
            const float first = v[2 * p], second = v[2 * p + 1];
            v[2 * p] = rotated<Y>(first * c[p] - second * s[p]);
            v[2 * p + 1] = rotated<Y>(second * c[p] + first * s[p]);
        }
        store(y + 8 * item, v);
        sink(8 * item, v);
    } else {
        const int i = P == Pairs::INTERLEAVED ? 2 * item : item * W;
        const int partner = P == Pairs::INTERLEAVED ? i + 1 : i + D / 2;
        float u[W], v[W];
        alignas(16) float c[W], s[W];
        load(u, x + i);
        load(v, x + partner);
        loadAngles(c, s, angles, D, item * W);
#pragma unroll
        for (int j = 0; j < W; j++) {
            const float first = u[j], second = v[j];
            u[j] = rotated<Y>(first * c[j] - second * s[j]);
            v[j] = rotated<Y>(second * c[j] + first * s[j]);
        }
        store(y + i, u);
        store(y + partner, v);
        sink(i, u);
        sink(partner, v);
    }
}
