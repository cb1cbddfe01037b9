// A weight matrix, or one of each expert, times activations: the loops of the warp that copies and those that multiply.
#pragma once

#include "product_store.cuh"
#include "weight_formats.cuh"

// Launch bounds of a kernel with Weights, GATED, TOKENS, TILES.
#define PRODUCT_BOUNDS(...) __launch_bounds__(ProductPlan<__VA_ARGS__>::THREADS, ProductPlan<__VA_ARGS__>::BLOCKS)

// Activations [.., K], and with fp8 weights the scales of 128 elements each of a token, [K/128, ..]: boxes of TOKENS
// rows.
struct ActivationMaps {
    const CUtensorMap& x;
    const CUtensorMap* scales;
};

// A ring of stages; both sides walk it in step.
template <int STAGES>
struct Ring {
    Barrier* full;
    int at = 0, parity = 0;

    __device__ explicit Ring(char* barriers) : full(reinterpret_cast<Barrier*>(barriers)) {}
    __device__ Barrier& filled() {
        return full[at];
    }
    __device__ Barrier& emptied() {
        return full[STAGES + at];
    }
    // The stage before this one.
    __device__ Barrier& emptiedBefore() {
        return full[STAGES + (at == 0 ? STAGES - 1 : at - 1)];
    }
    __device__ void advance() {
        if (++at == STAGES) {
            at = 0;
            parity ^= 1;
        }
    }
};

// Steps of K that one of `splits` blocks takes.
struct Steps {
    int begin, end;
};

template <class Weights>
__device__ Steps stepsOf(int K) {
    return {0, (K + Weights::STEP - 1) / Weights::STEP};
}

// Copies all stages of the tiles number, number + apart, ...; one warp.
template <class Plan, class Weights, class Tiles>
__device__ void copyStages(char* shared, const Weights& weights, const ActivationMaps& x, const Tiles& tiles,
                           int number, int apart, Steps steps) {
    Ring<Plan::STAGES> ring(shared + Plan::BARRIERS);
    const uint32_t base = sharedAddress(shared);
    const uint64_t once = cachePolicy(Keep::SHORT), often = cachePolicy(Keep::LONG);
    const uint64_t weightPolicy = Plan::TOKENS < 128 ? once : often;
    const int count = tiles.count();
    for (; number < count; number += apart) {
        const ProductTile tile = tiles.at(number);
        if (threadIdx.x % 32 == 0) {
            for (int at = steps.begin; at < steps.end; at++) {
                ring.emptied().wait(ring.parity ^ 1);
                Barrier& full = ring.filled();
                const uint32_t stage = base + ring.at * Plan::STAGE_BYTES;
                full.arriveExpecting(Plan::SCALES_AT + Plan::SCALE_BYTES);
                weights.template fetch<Plan>(stage + Plan::X_BYTES, full, tile, at, weightPolicy);
#pragma unroll
                for (int box = 0; box < Plan::X_BOXES; box++) {
                    copyBox(stage + box * (Plan::TOKENS * 128), x.x, full,
                            at * Weights::STEP + box * (128 / Weights::X_ELEMENT), tile.firstRow, often);
                }
                if constexpr (Weights::TOKEN_SCALES) {
                    copyBox(stage + Plan::SCALES_AT, *x.scales, full, tile.firstRow, at, often);
                }
                ring.advance();
            }
        }
        __syncwarp();
    }
}

// Adds up a tile's products; the ring stands behind its stages afterwards, all of them given back.
template <class Plan, class Weights>
__device__ void sumProducts(Sums<Plan>& sums, char* shared, Ring<Plan::STAGES>& ring, Weights& weights, Steps steps) {
    sums.clear();
    for (int at = steps.begin; at < steps.end; at++) {
        ring.filled().wait(ring.parity);
        weights.template multiply<Plan>(sums, shared + ring.at * Plan::STAGE_BYTES, at);
        __syncwarp();
        if (threadIdx.x % 32 == 0) {
            if (Weights::UNFINISHED == 0) {
                ring.emptied().arrive();
            } else if (at > steps.begin) {
                ring.emptiedBefore().arrive();
            }
        }
        ring.advance();
    }
    if (Weights::UNFINISHED > 0) {
        awaitProducts<0>();
        __syncwarp();
        if (threadIdx.x % 32 == 0 && steps.begin < steps.end) {
            ring.emptiedBefore().arrive();
        }
    }
    weights.template finish<Plan>(sums);
}

// Opens the pipeline's barriers; all threads.
template <class Plan>
__device__ void openPipeline(char* shared) {
    if (threadIdx.x == 0) {
        Barrier* full = reinterpret_cast<Barrier*>(shared + Plan::BARRIERS);
        for (int stage = 0; stage < Plan::STAGES; stage++) {
            full[stage].init(1);
            full[Plan::STAGES + stage].init(MULTIPLIERS / 32);
        }
        fenceBarrierInit();
    }
    __syncthreads();
}

// Where this warpgroup's 128-row tile is, for formats that scale by rows.
template <class Plan>
__device__ int rowTileOf(const ProductTile& tile) {
    return Plan::TILES == 2 ? 2 * tile.rowTile + threadIdx.x / 128 : tile.rowTile;
}

// The copying warp, and the others of its warpgroup.
template <class Plan, class Weights, class Tiles>
__device__ void startCopies(char* shared, const Weights& weights, const ActivationMaps& x, const Tiles& tiles,
                            int number, int apart, Steps steps) {
    if constexpr (Plan::LENDS) {
        giveUpRegisters<40>();
    }
    if (threadIdx.x < MULTIPLIERS + 32) {
        copyStages<Plan>(shared, weights, x, tiles, number, apart, steps);
    }
}

template <class Plan>
__device__ void keepRegisters() {
    if constexpr (Plan::LENDS) {
        claimRegisters<232>();
    }
}

// Every tile from number on, `apart` between; y [.., N or N/2].
template <class Plan, class Weights, class Tiles>
__device__ void multiplyTiles(char* shared, Weights weights, const ActivationMaps& x, const Tiles& tiles, int number,
                              int apart, Steps steps, bf16* y, long long yStride, int N) {
    if (threadIdx.x >= MULTIPLIERS) {
        startCopies<Plan>(shared, weights, x, tiles, number, apart, steps);
        return;
    }
    keepRegisters<Plan>();
    Ring<Plan::STAGES> ring(shared + Plan::BARRIERS);
    const int count = tiles.count();
    for (; number < count; number += apart) {
        const ProductTile tile = tiles.at(number);
        weights.template enter<Plan>(tile, rowTileOf<Plan>(tile), steps.begin);
        Sums<Plan> sums;
        sumProducts<Plan>(sums, shared, ring, weights, steps);
        Store<Plan>::tile(sums, shared, weights, tile, y, yStride, N);
    }
}
