// What the two passes of the chunked delta rule hand over: for each chunk and value head, matrices in the order of the
// fragments that the second pass needs, and its gates.
#pragma once

#include "bf16.cuh"

constexpr int DELTA_CHUNK = 64;
constexpr int DELTA_K = 128; // key and value dimension
constexpr int DELTA_ROW_TILES = DELTA_CHUNK / 16;

// Words of 16 bytes: of row tile r and columns 16*j .. the lane's part lies at (r * columns / 16 + j) * 32 + lane.
constexpr int DELTA_WIDE = DELTA_ROW_TILES * (DELTA_K / 16) * 32;
constexpr int DELTA_SCORES = DELTA_ROW_TILES * (DELTA_CHUNK / 16) * 32;

// Factors of a chunk's tokens.
struct DeltaGates {
    float through[DELTA_CHUNK]; // of the state at the chunk's start in a token's output: its decay since, times the scale
    float rest[DELTA_CHUNK];    // what is left of a token at the chunk's end
    float kept;                 // what is left of the state at the chunk's start at its end
    float unused[31];           // so that every part of every chunk starts at a multiple of 128 bytes
};

// One chunk of one value head.
struct DeltaChunk {
    uint4 w[DELTA_WIDE];        // what the state at the chunk's start takes from the corrections: [64,128]
    uint4 u[DELTA_WIDE];        // corrections without that: [64,128]
    uint4 scores[DELTA_SCORES]; // scale * q.k, decayed, lower triangle: [64,64]
    DeltaGates gates;
};
static_assert(sizeof(DeltaChunk) == 41600, "as RecurrentLaunches reserves");
