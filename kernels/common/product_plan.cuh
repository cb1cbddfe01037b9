// How a block that multiplies weights with activations is laid out: the roles of its threads, the stages of its
// pipeline.
//
// D[128 * TILES, TOKENS] = W[128 * TILES, K] * X[TOKENS, K]^T: weights are the side that the tensor cores want long.
// One warp copies stages of STEP elements of K to shared memory, two warpgroups multiply. A Weights type brings the
// format:
//
//   STEP, X_ELEMENT                 elements of K in a stage, bytes of an activation
//   TILE_BYTES, TOKEN_SCALES        bytes of 128 rows of weights in a stage; whether each token has a scale in it, too
//   UNFINISHED                      stages, 0 or 1, whose products may still run when multiply returns
//   fetch, enter, multiply, finish, factor   see weight_formats.cuh
#pragma once

#include <cstdint>

constexpr int TILE_ROWS = 128;
constexpr int MULTIPLIERS = 256; // threads
constexpr int MOST_EXPERTS = 512;

template <class Weights, bool GATED_, int TOKENS_, int TILES_>
struct ProductPlan {
    static constexpr bool GATED = GATED_;
    static constexpr int TOKENS = TOKENS_, TILES = TILES_;
    // Blocks share a multiprocessor where their sums leave registers for two: they hide each other's latencies.
    static constexpr int BLOCKS = TOKENS * TILES <= 64 ? 2 : 1;
    // A block alone has a whole third warpgroup, which hands registers over to those that multiply.
    static constexpr bool LENDS = BLOCKS == 1;
    static constexpr int THREADS = MULTIPLIERS + (LENDS ? 128 : 32);

    // Columns of y that a warpgroup makes; a thread's sums are WAVES products of 64 rows.
    static constexpr int WAVES = TILES;
    static constexpr int COLUMNS = (GATED ? 32 : 64) * TILES;

    // The activations of a stage lie first, in boxes of 128 bytes a row; then weights, then scales of tokens.
    static constexpr int X_BOXES = Weights::STEP * Weights::X_ELEMENT / 128;
    static constexpr int X_BYTES = X_BOXES * TOKENS * 128;
    static constexpr int SCALES_AT = X_BYTES + TILES * Weights::TILE_BYTES;
    static constexpr int SCALE_BYTES = Weights::TOKEN_SCALES ? TOKENS * 4 : 0;
    static constexpr int STAGE_BYTES = (SCALES_AT + SCALE_BYTES + 1023) / 1024 * 1024;

    // Results are turned to rows of y in parts of tokens, each warpgroup by itself; where two blocks have two tiles
    // each, 16 bytes a thread at a time, which leaves room for another stage.
    static constexpr int MOST_PART = BLOCKS == 2 && TILES == 2 ? 1024 / COLUMNS : 32;
    static constexpr int PART = TOKENS < MOST_PART ? TOKENS : MOST_PART;
    static constexpr int PITCH = COLUMNS + 8; // elements; off the power of two, for the banks
    static constexpr int STAGING_BYTES = PART * PITCH * 2;

    // Behind the stages: barriers and, for products over experts, the tiles of each.
    static constexpr int TILES_BYTES = (MOST_EXPERTS + 1) * 4;
    static constexpr int ROOM = (BLOCKS == 2 ? 113 : 227) * 1024 - 2 * STAGING_BYTES - TILES_BYTES - 256;
    static constexpr int STAGES = ROOM / STAGE_BYTES < 12 ? ROOM / STAGE_BYTES : 12;
    static constexpr int STAGING = STAGES * STAGE_BYTES;
    static constexpr int BARRIERS = STAGING + 2 * STAGING_BYTES;
    static constexpr int FIRST_TILES = BARRIERS + STAGES * 16;
    static constexpr int SHARED_BYTES = FIRST_TILES + TILES_BYTES;
    static_assert(STAGES >= 2 + Weights::UNFINISHED, "stages too large");
};

template <class Plan>
struct Sums {
    float d[Plan::WAVES][Plan::TOKENS / 2]; // as wgmma leaves them

    __device__ void clear() {
#pragma unroll
        for (auto& wave : d) {
#pragma unroll
            for (float& sum : wave) {
                sum = 0;
            }
        }
    }
};
