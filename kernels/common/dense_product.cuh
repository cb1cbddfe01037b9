// One matrix times all rows of x: blocks walk the tiles, or SPLITS blocks of a cluster share the steps of one.
#pragma once

#include "weight_product.cuh"

__device__ inline void synchroniseCluster() {
    asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
}

// Four floats at the address that `own` has in this block's shared memory, from block `rank` of the cluster.
__device__ inline float4 readShared(uint32_t own, int rank) {
    uint32_t address;
    float4 value;
    asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(address) : "r"(own), "r"(rank));
    asm volatile("ld.shared::cluster.v4.f32 {%0, %1, %2, %3}, [%4];"
                 : "=f"(value.x), "=f"(value.y), "=f"(value.z), "=f"(value.w)
                 : "r"(address)
                 : "memory");
    return value;
}

// The cluster's blocks hold sums of different parts of K for the same tile: each adds up and stores an even part of the
// tokens, eights of them, in the order of K.
template <class Plan, int SPLITS, class Weights>
__device__ void storeClusterSums(const Sums<Plan>& sums, char* shared, const Weights& weights, const ProductTile& tile,
                                 bf16* y, long long yStride, int N, int rank) {
    constexpr int EIGHTS = Plan::TOKENS / 8, TURN = Plan::PART / 8;
    static_assert(Plan::WAVES * EIGHTS * MULTIPLIERS * 16 <= Plan::STAGING, "reuses the stages");
    const typename Store<Plan>::Factors factors(weights, tile, N);
    float4* own = reinterpret_cast<float4*>(shared) + threadIdx.x;
    syncNamed(3, MULTIPLIERS); // every stage has been read
#pragma unroll
    for (int wave = 0; wave < Plan::WAVES; wave++) {
#pragma unroll
        for (int j = 0; j < EIGHTS; j++) {
            const float* d = sums.d[wave] + 4 * j;
            own[(wave * EIGHTS + j) * MULTIPLIERS] = make_float4(d[0], d[1], d[2], d[3]);
        }
    }
    synchroniseCluster();
    const int begin = EIGHTS * rank / SPLITS, end = min(EIGHTS * (rank + 1) / SPLITS, (tile.end + 7) / 8);
    char* staged = Store<Plan>::staging(shared);
    for (int first = begin; first < end; first += TURN) {
        const int last = min(first + TURN, end);
        Store<Plan>::synchroniseGroup();
        for (int j = first; j < last; j++) {
#pragma unroll
            for (int wave = 0; wave < Plan::WAVES; wave++) {
                float d[4] = {};
#pragma unroll
                for (int from = 0; from < SPLITS; from++) {
                    const float4 part = readShared(sharedAddress(own + (wave * EIGHTS + j) * MULTIPLIERS), from);
                    d[0] += part.x;
                    d[1] += part.y;
                    d[2] += part.z;
                    d[3] += part.w;
                }
                Store<Plan>::stage(staged, 8 * (j - first), wave, d, factors.of[wave]);
            }
        }
        Store<Plan>::synchroniseGroup();
        Store<Plan>::write(staged, y, yStride, tile.firstRow + 8 * first, 0, min(8 * last, tile.end) - 8 * first,
                           Store<Plan>::firstColumn(tile), N);
    }
    synchroniseCluster(); // others may still read this block's sums
}

// A cluster's only tile.
template <class Plan, int SPLITS, class Weights>
__device__ void multiplySplitTile(char* shared, Weights weights, const ActivationMaps& x,
                                  const DenseTiles<Plan::TOKENS>& tiles, int steps, bf16* y, long long yStride, int N) {
    const int rank = blockIdx.x % SPLITS, number = blockIdx.x / SPLITS;
    const Steps part{steps * rank / SPLITS, steps * (rank + 1) / SPLITS};
    if (threadIdx.x >= MULTIPLIERS) {
        startCopies<Plan>(shared, weights, x, tiles, number, tiles.count(), part);
        return;
    }
    keepRegisters<Plan>();
    Ring<Plan::STAGES> ring(shared + Plan::BARRIERS);
    const ProductTile tile = tiles.at(number);
    weights.template enter<Plan>(tile, rowTileOf<Plan>(tile), min(part.begin, steps - 1));
    Sums<Plan> sums;
    sumProducts<Plan>(sums, shared, ring, weights, part);
    storeClusterSums<Plan, SPLITS>(sums, shared, weights, tile, y, yStride, N, rank);
}

template <class Plan, int SPLITS, class Weights>
__device__ void multiplyDense(const Weights& weights, const ActivationMaps& x, int T, int N, int K, bf16* y,
                              long long yStride) {
    extern __shared__ __align__(1024) char shared[];
    const int perTile = 2 * Plan::COLUMNS;
    const DenseTiles<Plan::TOKENS> tiles{(N + perTile - 1) / perTile, T};
    openPipeline<Plan>(shared);
    if constexpr (SPLITS == 1) {
        multiplyTiles<Plan>(shared, weights, x, tiles, blockIdx.x, gridDim.x, stepsOf<Weights>(K), y, yStride, N);
    } else {
        multiplySplitTile<Plan, SPLITS>(shared, weights, x, tiles, stepsOf<Weights>(K).end, y, yStride, N);
    }
}
