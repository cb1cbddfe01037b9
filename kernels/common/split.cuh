// Splitting of the keys of MLA decode: which part of a sequence a block takes, where its partial result lies.
#pragma once

#include "paged.cuh"

// A step's batch of sequences whose keys are cut into chunks.
struct Split {
    const int* starts; // [B+1] first token of each sequence, then T
    const int* past;   // [B]
    int heads;         // Q
    int chunk;         // keys of a part but a sequence's first
    int lead = 1;      // chunks of that one

    __device__ __forceinline__ int queries(int sequence) const { return starts[sequence + 1] - starts[sequence]; }

    __device__ __forceinline__ int keys(int sequence) const { return past[sequence] + queries(sequence); }

    // Less than 1 where a sequence does not fill its first part.
    __device__ __forceinline__ int parts(int sequence) const {
        return (keys(sequence) + chunk - 1) / chunk - (lead - 1);
    }

    // Rows of partial results: only sequences of several parts have any, one row for each part, query and head, in this
    // order of axes.
    __device__ __forceinline__ int64_t partials(int sequence) const {
        const int n = parts(sequence);
        return n > 1 ? static_cast<int64_t>(n) * queries(sequence) * heads : 0;
    }

    // First row of a sequence's partial results. By the whole block; holds two block barriers.
    __device__ __forceinline__ int64_t firstPartial(int sequence) const {
        int64_t before = 0;
        for (int b = threadIdx.x; b < sequence; b += blockDim.x) {
            before += partials(b);
        }
        return blockSum(before);
    }

    // The same by a whole warp, without a barrier.
    __device__ __forceinline__ int64_t firstPartialOfWarp(int sequence) const {
        int64_t before = 0;
        for (int b = threadIdx.x % 32; b < sequence; b += 32) {
            before += partials(b);
        }
        return warpSum(before);
    }
};

// What a block does: rows, which are queries and heads, and keys of one sequence.
struct Task {
    int64_t start; // token of the sequence's first query
    int heads, row, rows, past, from, to;
    int open; // every row sees the keys from `from` to here

    // Keys that row r sees, counted from key 0 of the sequence.
    __device__ __forceinline__ int visible(int r) const { return past + min(r, rows - 1) / heads + 1; }
};
