// Which tile a block works on next. Tiles are numbered expert by expert; within one, bands of BAND token tiles pass by
// all row tiles, so that what runs at the same time shares activations and weights in L2.
#pragma once

#include "product_plan.cuh"

struct ProductTile {
    int expert;
    int rowTile;        // of 128 * TILES rows of the weights
    int firstRow;       // of x and y
    int begin, end;     // rows of the tile that count, from firstRow on; those before are another expert's
};

constexpr int BAND = 16;

// Tile `number` of the rows begin .. end when the first one starts at a multiple of ALIGN.
template <int TOKENS, int ALIGN>
__device__ ProductTile tileOf(int expert, int number, int across, int begin, int end) {
    const int start = begin / ALIGN * ALIGN, tokenTiles = (end - start + TOKENS - 1) / TOKENS;
    const int band = number / (BAND * across), first = band * BAND;
    const int wide = min(BAND, tokenTiles - first), rest = number - first * across;
    const int row = start + (first + rest % wide) * TOKENS;
    return {expert, rest / wide, row, max(begin - row, 0), min(TOKENS, end - row)};
}

// All rows meet one matrix.
template <int TOKENS>
struct DenseTiles {
    int across, T;

    __device__ int count() const {
        return (T + TOKENS - 1) / TOKENS * across;
    }
    __device__ ProductTile at(int number) const {
        return tileOf<TOKENS, 1>(0, number, across, 0, T);
    }
};

// Rows offsets[e] .. offsets[e+1] meet matrix e; only the device knows how many those are. Tiles start at multiples of
// ALIGN: the copy engine reads scales of tokens in pieces of 16 bytes.
template <int TOKENS, int ALIGN>
struct ExpertTiles {
    int across, E;
    const int* offsets;
    int* first; // shared, [MOST_EXPERTS + 1]: token tiles of the experts before

    // All threads of the block; a barrier must follow.
    __device__ ExpertTiles(int across, int E, const int* offsets, int* first)
        : across(across), E(E), offsets(offsets), first(first) {
        if (threadIdx.x >= 32) {
            return;
        }
        constexpr int SHARE = MOST_EXPERTS / 32;
        const int begin = threadIdx.x * SHARE;
        int own[SHARE], all = 0;
#pragma unroll
        for (int i = 0; i < SHARE; i++) {
            const int e = begin + i;
            own[i] = all;
            const int from = e < E ? offsets[e] : 0, to = e < E ? offsets[e + 1] : 0;
            all += from < to ? (to - from / ALIGN * ALIGN + TOKENS - 1) / TOKENS : 0;
        }
        int before = all;
        for (int step = 1; step < 32; step *= 2) {
            const int other = __shfl_up_sync(~0u, before, step);
            before += threadIdx.x >= step ? other : 0;
        }
#pragma unroll
        for (int i = 0; i < SHARE; i++) {
            first[begin + i] = before - all + own[i];
        }
        if (threadIdx.x == 31) {
            first[MOST_EXPERTS] = before;
        }
    }

    __device__ int count() const {
        return first[MOST_EXPERTS] * across;
    }

    // By a whole warp: the last expert whose tiles do not start behind the one asked for; empty ones precede it.
    __device__ ProductTile at(int number) const {
        constexpr int SHARE = MOST_EXPERTS / 32;
        const int lane = threadIdx.x % 32, tile = number / across;
        const int segment = __popc(__ballot_sync(~0u, first[lane * SHARE] <= tile)) - 1;
        const int within = lane < SHARE ? first[segment * SHARE + lane] : 0x7FFFFFFF;
        const int expert = segment * SHARE + __popc(__ballot_sync(~0u, within <= tile)) - 1;
        return tileOf<TOKENS, ALIGN>(expert, number - first[expert] * across, across, offsets[expert],
                                     offsets[expert + 1]);
    }
};
