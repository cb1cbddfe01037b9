// Which rows of a weight matrix make up a tile.
#pragma once

// PLAIN takes 128 neighbours of N. GATED takes 64 gate rows and their 64 partners N/2 further on, interleaved by
// eights, so that one thread holds both halves of an output.
template <bool GATED>
struct TileRows {
    static constexpr int COLUMNS = GATED ? 64 : 128; // of y in a tile
    int tile, N;

    // Columns of y that N matrix rows make.
    __device__ static int of(int N) {
        return GATED ? N / 2 : N;
    }
    // Column of tile row r, counted from the tile's first.
    __device__ static constexpr int column(int r) {
        return GATED ? r / 16 * 8 + r % 8 : r;
    }
    __device__ int first() const {
        return tile * COLUMNS;
    }
    // Columns from the tile's first on.
    __device__ int left() const {
        return of(N) - first();
    }
    // Matrix row of tile row r, as if there were enough.
    __device__ int unchecked(int r) const {
        return first() + column(r) + (GATED && r / 8 % 2 == 1 ? N / 2 : 0);
    }
    // Matrix row of tile row r, or -1.
    __device__ int operator()(int r) const {
        return column(r) < left() ? unchecked(r) : -1;
    }
};
