// Products over experts: what a block does, and the kernels of every weight format and tile width.
#pragma once

#include "expert_tiles.cuh"
#include "plain_product.cuh"
#include "product_store.cuh"
#include "weight_formats.cuh"

// Block b works on token tile b / (tiles across N) and weight tile b % (tiles across N): neighbours share activations.
// GATED: y = silu(gate) * up of the halves of w's rows.
template <bool GATED, int TOKENS>
struct ExpertBlock {
    TileRows<GATED> rows;
    ExpertTile tile;

    __device__ ExpertBlock(const int* offsets, int E, int N) {
        const int across = (rows.of(N) + TileRows<GATED>::COLUMNS - 1) / TileRows<GATED>::COLUMNS;
        rows = {(int)blockIdx.x % across, N};
        tile = findTile<TOKENS>(offsets, E, blockIdx.x / across);
    }

    template <class Weights>
    __device__ void run(bf16* y, long long yStride, const bf16* x, long long xStride, const Weights& weights) const {
        extern __shared__ __align__(1024) char shared[];
        const Activations tokens{x + tile.row * xStride, xStride, tile.rows, weights.K};
        const RowFactors factors(weights, rows);
        Sums<TOKENS> sums;
        if (sumProducts(sums, shared, weights, tokens, rows, 0, (weights.K + Weights::STEP - 1) / Weights::STEP)) {
            storeProducts<Weights>(sums, shared, factors, rows, y + tile.row * yStride, yStride, tile.rows);
        }
    }
};

// The same on the CUDA cores.
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

#define EXPERT_KERNEL_BF16(OP, GATED, TOKENS)                                                                          \
    extern "C" __global__ PRODUCT_BOUNDS(Bf16Weights<GATED>, TOKENS)                                                   \
    void OP##_n##TOKENS##_bf16(bf16* __restrict__ y, const bf16* __restrict__ x, const int* __restrict__ offsets,      \
                               const bf16* __restrict__ w, int E, int N, int K, long long xStride,                     \
                               long long yStride) {                                                                    \
        const ExpertBlock<GATED, TOKENS> block(offsets, E, N);                                                         \
        if (block.tile.expert >= 0) {                                                                                  \
            block.run(y, yStride, x, xStride, Bf16Weights<GATED>{w + (long long)block.tile.expert * N * K, K});        \
        }                                                                                                              \
    }

#define EXPERT_KERNEL_NVFP4(OP, GATED, TOKENS)                                                                         \
    extern "C" __global__ PRODUCT_BOUNDS(Nvfp4<GATED, TOKENS>, TOKENS)                                                 \
    void OP##_n##TOKENS##_nvfp4(bf16* __restrict__ y, const bf16* __restrict__ x, const int* __restrict__ offsets,     \
                                const uint8_t* __restrict__ w, const uint8_t* __restrict__ blockScales,                \
                                const float* __restrict__ segmentScales, int E, int N, int K, int segments,            \
                                long long xStride, long long yStride) {                                                \
        const ExpertBlock<GATED, TOKENS> block(offsets, E, N);                                                         \
        if (block.tile.expert >= 0) {                                                                                  \
            const long long first = (long long)block.tile.expert * N * K;                                              \
            const Nvfp4<GATED, TOKENS> weights{w + first / 2, blockScales + first / 16,                                \
                                        segmentScales + block.tile.expert * segments, N / segments, K};                \
            block.run(y, yStride, x, xStride, weights);                                                                \
        }                                                                                                              \
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
    void OP##_any_fp8(bf16* __restrict__ y, const bf16* __restrict__ x, const int* __restrict__ offsets,               \
                      const uint8_t* __restrict__ w, const float* __restrict__ scales, int E, int N, int K,            \
                      int blockRows, int blockColumns, long long xStride, long long yStride) {                         \
        const PlainExpertBlock<GATED> block(offsets, E, N);                                                            \
        if (block.tile.expert >= 0) {                                                                                  \
            const int scaleRows = (N + blockRows - 1) / blockRows;                                                     \
            const int scaleColumns = (K + blockColumns - 1) / blockColumns;                                            \
            const PlainFp8Block weights{w + (long long)block.tile.expert * N * K,                                      \
                                        scales + (long long)block.tile.expert * scaleRows * scaleColumns, K,           \
                                        blockRows, blockColumns, scaleColumns};                                        \
            block.run(y, yStride, x, xStride, weights);                                                                \
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

#define EXPERT_KERNELS_OF_WIDTH(OP, GATED, TOKENS)                                                                     \
    EXPERT_KERNEL_BF16(OP, GATED, TOKENS)                                                                              \
    EXPERT_KERNEL_NVFP4(OP, GATED, TOKENS)

#define EXPERT_KERNELS(OP, GATED)                                                                                      \
    EXPERT_KERNELS_OF_WIDTH(OP, GATED, 8)                                                                              \
    EXPERT_KERNELS_OF_WIDTH(OP, GATED, 16)                                                                             \
    EXPERT_KERNELS_OF_WIDTH(OP, GATED, 32)                                                                             \
    EXPERT_KERNELS_OF_WIDTH(OP, GATED, 64)                                                                             \
    EXPERT_KERNELS_OF_WIDTH(OP, GATED, 128)                                                                            \
    EXPERT_KERNELS_OF_WIDTH(OP, GATED, 256)                                                                            \
    EXPERT_KERNELS_ANY(OP, GATED)
