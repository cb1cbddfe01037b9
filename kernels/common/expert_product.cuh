// Products over experts: what a block does, and the kernels of every weight format and tile.
#pragma once

#include "expert_tiles.cuh"
#include "plain_product.cuh"
#include "weight_product.cuh"

// Blocks walk all tiles of all experts; each finds them in the offsets.
template <class Plan, class Weights>
__device__ void multiplyExperts(const Weights& weights, const ActivationMaps& x, const int* offsets, int E, int N,
                                int K, bf16* y, long long yStride) {
    extern __shared__ __align__(1024) char shared[];
    const int columns = Plan::GATED ? N / 2 : N, perTile = 2 * Plan::COLUMNS;
    constexpr int ALIGN = Weights::TOKEN_SCALES ? 4 : 1;
    const ExpertTiles<Plan::TOKENS, ALIGN> tiles((columns + perTile - 1) / perTile, E, offsets,
                                                 reinterpret_cast<int*>(shared + Plan::FIRST_TILES));
    openPipeline<Plan>(shared);
    multiplyTiles<Plan>(shared, weights, x, tiles, blockIdx.x, gridDim.x, stepsOf<Weights>(K), y, yStride, N);
}

// The same on the CUDA cores, for shapes and alignments that nothing else takes: a block a tile.
template <bool GATED>
struct PlainExpertBlock {
    int column, N;
    ExpertTile tile;

    __device__ PlainExpertBlock(const int* offsets, int E, int N) : N(N) {
        const int across = ((GATED ? N / 2 : N) + PLAIN_TILE - 1) / PLAIN_TILE;
        column = (int)blockIdx.x % across * PLAIN_TILE;
        tile = findTile<PLAIN_TILE>(offsets, E, blockIdx.x / across);
    }

    template <class Weights>
    __device__ void run(bf16* y, long long yStride, const bf16* x, long long xStride, const Weights& weights) const {
        plainProduct<GATED>(y + tile.row * yStride, yStride, x + tile.row * xStride, xStride, tile.rows, weights, N,
                            column);
    }
};

#define EXPERT_KERNELS_OF_TILE(OP, GATED, TOKENS, TILES, ROWS)                                                         \
    extern "C" __global__ PRODUCT_BOUNDS(Bf16Weights, GATED, TOKENS, TILES)                                            \
    void OP##_t##TOKENS##_r##ROWS##_bf16(bf16* __restrict__ y, const __grid_constant__ CUtensorMap x,                  \
                                         const int* __restrict__ offsets, const __grid_constant__ CUtensorMap w,       \
                                         int E, int N, int K, long long yStride) {                                     \
        multiplyExperts<ProductPlan<Bf16Weights, GATED, TOKENS, TILES>>(Bf16Weights{w}, ActivationMaps{x, nullptr},    \
                                                                        offsets, E, N, K, y, yStride);                 \
    }                                                                                                                  \
    extern "C" __global__ PRODUCT_BOUNDS(Fp8Weights<GATED>, GATED, TOKENS, TILES)                                      \
    void OP##_t##TOKENS##_r##ROWS##_fp8(bf16* __restrict__ y, const __grid_constant__ CUtensorMap x,                   \
                                        const __grid_constant__ CUtensorMap xScales, const int* __restrict__ offsets,  \
                                        const __grid_constant__ CUtensorMap w, const float* __restrict__ scales,       \
                                        int E, int N, int K, long long yStride) {                                      \
        multiplyExperts<ProductPlan<Fp8Weights<GATED>, GATED, TOKENS, TILES>>(Fp8Weights<GATED>(w, scales, N, K),      \
                                                                              ActivationMaps{x, &xScales}, offsets, E, \
                                                                              N, K, y, yStride);                       \
    }                                                                                                                  \
    EXPERT_KERNELS_OF_TILE_NVFP4(OP, GATED, TOKENS, TILES, ROWS)

#define EXPERT_KERNELS_OF_TILE_NVFP4(OP, GATED, TOKENS, TILES, ROWS)                                                   \
    extern "C" __global__ PRODUCT_BOUNDS(Nvfp4Weights, GATED, TOKENS, TILES)                                           \
    void OP##_t##TOKENS##_r##ROWS##_nvfp4(bf16* __restrict__ y, const __grid_constant__ CUtensorMap x,                 \
                                          const int* __restrict__ offsets, const char* __restrict__ tiles,             \
                                          const float* __restrict__ segmentScales, int E, int N, int K, int segments,  \
                                          long long yStride) {                                                         \
        multiplyExperts<ProductPlan<Nvfp4Weights, GATED, TOKENS, TILES>>(                                              \
            Nvfp4Weights::of<GATED>(tiles, segmentScales, segments, N, K), ActivationMaps{x, nullptr}, offsets, E, N,  \
            K, y, yStride);                                                                                            \
    }

#define EXPERT_KERNELS_ANY(OP, GATED)                                                                                  \
    extern "C" __global__ __launch_bounds__(256, 2)                                                                    \
    void OP##_any_bf16(bf16* __restrict__ y, const bf16* __restrict__ x, const int* __restrict__ offsets,              \
                       const bf16* __restrict__ w, int E, int N, int K, long long xStride, long long yStride) {        \
        const PlainExpertBlock<GATED> block(offsets, E, N);                                                            \
        if (block.tile.expert >= 0) {                                                                                  \
            block.run(y, yStride, x, xStride, PlainBf16{w + (long long)block.tile.expert * N * K, K});                 \
        }                                                                                                              \
    }                                                                                                                  \
    extern "C" __global__ __launch_bounds__(256, 2)                                                                    \
    void OP##_any_nvfp4(bf16* __restrict__ y, const bf16* __restrict__ x, const int* __restrict__ offsets,             \
                        const uint8_t* __restrict__ w, const uint8_t* __restrict__ blockScales,                        \
                        const float* __restrict__ segmentScales, int E, int N, int K, int segments,                    \
                        long long xStride, long long yStride) {                                                        \
        const PlainExpertBlock<GATED> block(offsets, E, N);                                                            \
        if (block.tile.expert >= 0) {                                                                                  \
            const long long first = (long long)block.tile.expert * N * K;                                              \
            const PlainNvfp4 weights{w + first / 2, blockScales + first / 16,                                          \
                                     segmentScales + block.tile.expert * segments, K, N / segments};                   \
            block.run(y, yStride, x, xStride, weights);                                                                \
        }                                                                                                              \
    }

#define EXPERT_KERNELS(OP, GATED)                                                                                      \
    EXPERT_KERNELS_OF_TILE(OP, GATED, 8, 1, 128)                                                                       \
    EXPERT_KERNELS_OF_TILE(OP, GATED, 16, 1, 128)                                                                      \
    EXPERT_KERNELS_OF_TILE(OP, GATED, 32, 1, 128)                                                                      \
    EXPERT_KERNELS_OF_TILE(OP, GATED, 64, 1, 128)                                                                      \
    EXPERT_KERNELS_OF_TILE(OP, GATED, 64, 2, 256)                                                                      \
    EXPERT_KERNELS_OF_TILE(OP, GATED, 128, 1, 128)                                                                     \
    EXPERT_KERNELS_OF_TILE(OP, GATED, 128, 2, 256)                                                                     \
    EXPERT_KERNELS_OF_TILE_NVFP4(OP, GATED, 16, 2, 256)                                                                \
    EXPERT_KERNELS_OF_TILE_NVFP4(OP, GATED, 32, 2, 256)                                                                \
    EXPERT_KERNELS_ANY(OP, GATED)
