// Online softmax over accumulators laid out as in wgmma.cuh (Milakov and Gimelshein 2018, algorithm 3): each thread
// keeps two rows, which the four lanes of a quad share.
#pragma once

#include <math.h>

#include "exp2.cuh"

// Probabilities of a row are 2^LIFT times exp(scale * (score - reference)). The reference follows the highest score
// only when that is more than 2^SLACK times as probable: until then what was summed up before need not be rescaled, and
// floating-point sums lose nothing by it.
template <int LIFT>
struct OnlineSoftmax {
    static constexpr float SLACK = 8;
    float reference[2] = {-INFINITY, -INFINITY}; // log2, scaled; the same in a quad
    float total[2] = {0, 0};                     // of this thread's columns; a quad's sum is the row's

    // Turns scores into probabilities; `scale` > 0 has log2(e) in it. What was summed up before must be multiplied by
    // `factor`. A row that has seen nothing yet, all scores -inf, becomes zeros.
    template <int N>
    __device__ __forceinline__ void advance(float (&s)[N], const float (&scale)[2], float (&factor)[2]) {
        float shift[2];
        follow(s, scale, factor, shift);
        raise<0, N>(s, scale, shift);
    }

    // The first half of this: the reference, and what `raise` subtracts.
    template <int N>
    __device__ __forceinline__ void follow(
        const float (&s)[N], const float (&scale)[2], float (&factor)[2], float (&shift)[2]) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            float top = -INFINITY;
#pragma unroll
            for (int j = 0; j < N / 4; j++) {
                top = fmaxf(top, fmaxf(s[4 * j + 2 * half], s[4 * j + 2 * half + 1]));
            }
            top = fmaxf(top, __shfl_xor_sync(0xFFFFFFFFu, top, 1));
            top = fmaxf(top, __shfl_xor_sync(0xFFFFFFFFu, top, 2)) * scale[half];
            const bool moves = top > reference[half] + SLACK;
            factor[half] = moves ? fastExp2(reference[half] - top) : 1;
            reference[half] = moves ? top : reference[half];
            shift[half] = reference[half] == -INFINITY ? 0 : reference[half] - LIFT;
            total[half] *= factor[half];
        }
    }

    // The second half, for the scores from FROM to TO, whole fours.
    template <int FROM, int TO, int N>
    __device__ __forceinline__ void raise(float (&s)[N], const float (&scale)[2], const float (&shift)[2]) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            float sum = 0;
#pragma unroll
            for (int j = FROM / 4; j < TO / 4; j++) {
#pragma unroll
                for (int e = 0; e < 2; e++) {
                    float& v = s[4 * j + 2 * half + e];
                    v = fastExp2(v * scale[half] - shift[half]);
                    sum += v;
                }
            }
            total[half] += sum;
        }
    }

    // The row's sum, over all its columns.
    __device__ __forceinline__ float sum(int half) const {
        float s = total[half];
        s += __shfl_xor_sync(0xFFFFFFFFu, s, 1);
        return s + __shfl_xor_sync(0xFFFFFFFFu, s, 2);
    }

    // log2 of the sum of exp(scale * score), of a row's `sum`.
    __device__ __forceinline__ float logSum(int half, float sum) const {
        return sum == 0 ? -INFINITY : reference[half] - LIFT + log2f(sum);
    }
};

// Hides scores of keys that a row may not see: column c of the tile where c >= visible[half].
template <int N>
__device__ __forceinline__ void hideKeys(float (&s)[N], const int (&visible)[2]) {
    const int lane = 2 * (threadIdx.x % 4);
#pragma unroll
    for (int i = 0; i < N; i++) {
        if (8 * (i / 4) + lane + i % 2 >= visible[i / 2 % 2]) {
            s[i] = -INFINITY;
        }
    }
}
