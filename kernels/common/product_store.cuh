// What becomes of a tile's sums: factors, SwiGLU, bf16, and rows of y written in 16-byte chunks.
#pragma once

#include "tile_rows.cuh"
#include "weight_product.cuh"

__device__ inline float swiGlu(float gate, float up) {
    return gate / (1 + __expf(-gate)) * up;
}

// One or two 8x8 matrices, transposed: lane l gives the address of row l % 8 of matrix l / 8.
__device__ inline void storeTransposed(uint32_t to, uint32_t a) {
    asm volatile("stmatrix.sync.aligned.m8n8.x1.trans.shared.b16 [%0], {%1};" ::"r"(to), "r"(a) : "memory");
}
__device__ inline void storeTransposed(uint32_t to, uint32_t a, uint32_t b) {
    asm volatile("stmatrix.sync.aligned.m8n8.x2.trans.shared.b16 [%0], {%1, %2};" ::"r"(to), "r"(a), "r"(b) : "memory");
}

// Multipliers of the two matrix rows that a thread holds; taken before the products, whose time hides the loads'.
struct RowFactors {
    float factor[2];

    template <bool GATED, class Weights>
    __device__ RowFactors(const Weights& weights, const TileRows<GATED>& rows) {
        const int r = threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4;
#pragma unroll
        for (int i = 0; i < 2; i++) {
            const int n = rows(r + 8 * i);
            factor[i] = n < 0 ? 0 : weights.factor(n);
        }
    }
};

template <bool GATED, int TOKENS>
struct Store {
    static constexpr int COLUMNS = TileRows<GATED>::COLUMNS;
    static constexpr int PITCH = COLUMNS + 8; // elements; off the power of two, for the banks
    static constexpr int SHARED_BYTES = TOKENS * PITCH * 2;

    // This thread's share of eight tokens, d as wgmma leaves it, goes to the staged tile.
    __device__ static void stage(char* shared, int firstToken, const float* d, const RowFactors& factors) {
        const float(&factor)[2] = factors.factor;
        const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
        const int column = warp * (COLUMNS / 8) + (GATED ? 0 : lane / 8 % 2 * 8);
        const uint32_t to = sharedAddress(shared) + ((firstToken + lane % 8) * PITCH + column) * 2;
        if (GATED) {
            storeTransposed(to, packBf16(swiGlu(d[0] * factor[0], d[2] * factor[1]),
                                         swiGlu(d[1] * factor[0], d[3] * factor[1])));
        } else {
            storeTransposed(to, packBf16(d[0] * factor[0], d[1] * factor[0]),
                            packBf16(d[2] * factor[1], d[3] * factor[1]));
        }
    }

    // Staged tokens [begin, end) become rows of y; y points to the tile's first row.
    __device__ static void write(bf16* y, long long stride, const char* shared, int begin, int end,
                                 const TileRows<GATED>& rows) {
        const int columns = min(COLUMNS, rows.left());
        const bool wide = ((reinterpret_cast<size_t>(y) | stride * 2) & 15) == 0;
        for (int i = begin * (COLUMNS / 8) + threadIdx.x; i < end * (COLUMNS / 8); i += MULTIPLIERS) {
            const int token = i / (COLUMNS / 8), c = i % (COLUMNS / 8) * 8;
            const bf16* from = reinterpret_cast<const bf16*>(shared) + token * PITCH + c;
            bf16* to = y + token * stride + rows.first() + c;
            if (wide && c + 8 <= columns) {
                *reinterpret_cast<uint4*>(to) = *reinterpret_cast<const uint4*>(from);
            } else {
                for (int j = 0; c + j < columns && j < 8; j++) {
                    to[j] = from[j];
                }
            }
        }
    }
};

template <class Weights, bool GATED, int TOKENS>
__device__ void storeProducts(const Sums<TOKENS>& sums, char* shared, const RowFactors& factors,
                              const TileRows<GATED>& rows, bf16* y, long long stride, int tokens) {
    static_assert(Store<GATED, TOKENS>::SHARED_BYTES <= Pipeline<Weights, TOKENS>::BARRIERS, "reuses the stages");
#pragma unroll
    for (int part = 0; part < Sums<TOKENS>::PARTS; part++) {
#pragma unroll
        for (int j = 0; j < Sums<TOKENS>::PART_TOKENS / 8; j++) {
            const int token = part * Sums<TOKENS>::PART_TOKENS + 8 * j;
            Store<GATED, TOKENS>::stage(shared, token, sums.d[part] + 4 * j, factors);
        }
    }
    synchroniseFirst<MULTIPLIERS>();
    Store<GATED, TOKENS>::write(y, stride, shared, 0, tokens, rows);
}
