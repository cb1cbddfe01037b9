// Which rows a block works on when rows are grouped by expert and only the device knows how many each has.
#pragma once

struct ExpertTile {
    int expert; // -1: no tile has this number
    int row, rows;
};

// Tile number `tile` when each expert's rows offsets[e] .. offsets[e+1] are cut into tiles of TOKENS. Every warp finds
// it by itself: a lane counts the tiles of its share of the experts, the warp sums up, then walks one share.
template <int TOKENS>
__device__ ExpertTile findTile(const int* offsets, int experts, int tile) {
    auto tilesOf = [&](int e) { return (offsets[e + 1] - offsets[e] + TOKENS - 1) / TOKENS; };
    const int lane = threadIdx.x % 32, share = (experts + 31) / 32;
    const int begin = min(lane * share, experts), end = min(begin + share, experts);
    int tiles = 0;
    for (int e = begin; e < end; e++) {
        tiles += tilesOf(e);
    }
    int before = tiles;
    for (int step = 1; step < 32; step *= 2) {
        const int other = __shfl_up_sync(~0u, before, step);
        before += lane >= step ? other : 0;
    }
    before -= tiles;
    const unsigned owner = __ballot_sync(~0u, before <= tile && tile < before + tiles);
    if (owner == 0) {
        return {-1, 0, 0};
    }
    int expert = __shfl_sync(~0u, begin, __ffs(owner) - 1);
    int rest = tile - __shfl_sync(~0u, before, __ffs(owner) - 1);
    for (int n = tilesOf(expert); rest >= n; n = tilesOf(expert)) {
        rest -= n;
        expert++;
    }
    const int row = offsets[expert] + rest * TOKENS;
    return {expert, row, min(TOKENS, offsets[expert + 1] - row)};
}
