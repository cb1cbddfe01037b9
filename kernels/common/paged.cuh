// A paged batch as kernels read it: which sequence a token belongs to, where a sequence's rows lie.
#pragma once

#include <stdint.h>

#include "reduce.cuh"

// Tables of a step, all int32 and contiguous.
struct Paged {
    const int* starts; // [B+1] first token of each sequence, then T
    const int* past;   // [B] tokens that were in the cache before the step
    const int* pages;  // [B, tablePages] page that holds the sequence's tokens i*pageTokens ..
    int sequences;     // B
    int tablePages;
    int pageTokens;

    // Row of the cache, counted over all pages, that holds a sequence's token at `position`.
    __device__ __forceinline__ int64_t row(int sequence, int position) const {
        const int page = pages[static_cast<int64_t>(sequence) * tablePages + position / pageTokens];
        return static_cast<int64_t>(page) * pageTokens + position % pageTokens;
    }
};

// The sequence that token t belongs to, found by the whole block at once. Holds two block barriers.
__device__ __forceinline__ int sequenceOf(const int* starts, int sequences, int t) {
    __shared__ int found;
    for (int b = threadIdx.x; b < sequences; b += blockDim.x) {
        if (starts[b] <= t && t < starts[b + 1]) {
            found = b;
        }
    }
    __syncthreads();
    const int sequence = found;
    __syncthreads(); // `found` may be used again
    return sequence;
}

// Row at which a sequence's past and new tokens begin where those of all sequences lie one after the other.
// By the whole block; holds two block barriers.
__device__ __forceinline__ int64_t contextStart(const int* starts, const int* past, int sequence) {
    int64_t before = 0;
    for (int b = threadIdx.x; b < sequence; b += blockDim.x) {
        before += past[b];
    }
    return starts[sequence] + blockSum(before);
}
