// What becomes of a tile's sums: factors, SwiGLU, bf16, and rows of y written in 16-byte chunks.
#pragma once

#include "bf16.cuh"
#include "weight_formats.cuh"

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

// A warpgroup's part of the results.
template <class Plan>
struct Store {
    static constexpr int COLUMNS = Plan::COLUMNS, PITCH = Plan::PITCH;

    // Multipliers of the two matrix rows that a thread holds in each wave.
    struct Factors {
        float of[Plan::WAVES][2];

        template <class Weights>
        __device__ Factors(const Weights& weights, const ProductTile& tile, int N) {
            const int row = threadIdx.x / 32 % 4 * 16 + threadIdx.x % 32 / 4;
#pragma unroll
            for (int wave = 0; wave < Plan::WAVES; wave++) {
                const int inBlock = WaveRows<Plan>::at(wave, 1) + row;
                const TileRows<Plan::GATED> rows{tile.rowTile * Plan::TILES + inBlock / TILE_ROWS, N};
#pragma unroll
                for (int i = 0; i < 2; i++) {
                    const int n = rows(inBlock % TILE_ROWS + 8 * i);
                    of[wave][i] = n < 0 ? 0 : weights.factor(tile.expert, n);
                }
            }
        }
    };

    static __device__ int firstColumn(const ProductTile& tile) {
        return (2 * tile.rowTile + static_cast<int>(threadIdx.x) / 128) * COLUMNS;
    }

    static __device__ char* staging(char* shared) {
        return shared + Plan::STAGING + threadIdx.x / 128 * Plan::STAGING_BYTES;
    }

    static __device__ void synchroniseGroup() {
        syncNamed(1 + threadIdx.x / 128, 128);
    }

    // This thread's share of eight tokens of a wave, d as wgmma leaves it, becomes row `token` and following.
    static __device__ void stage(char* to, int token, int wave, const float* d, const float (&factor)[2]) {
        const int lane = threadIdx.x % 32, warp = threadIdx.x / 32 % 4;
        const int column = (4 * wave + warp) * (Plan::GATED ? 8 : 16) + (Plan::GATED ? 0 : lane / 8 % 2 * 8);
        const uint32_t at = sharedAddress(to) + ((token + lane % 8) * PITCH + column) * 2;
        if constexpr (Plan::GATED) {
            storeTransposed(at, packBf16(swiGlu(d[0] * factor[0], d[2] * factor[1]),
                                         swiGlu(d[1] * factor[0], d[3] * factor[1])));
        } else {
            storeTransposed(at, packBf16(d[0] * factor[0], d[1] * factor[0]),
                            packBf16(d[2] * factor[1], d[3] * factor[1]));
        }
    }

    // Staged tokens begin .. end become rows of y; `row` is that of the first one staged.
    static __device__ void write(const char* from, bf16* y, long long stride, long long row, int begin, int end,
                                 int first, int columns) {
        const bool wide = ((reinterpret_cast<size_t>(y) | stride * 2) & 15) == 0;
        const int left = columns - first;
        for (int i = begin * (COLUMNS / 8) + threadIdx.x % 128; i < end * (COLUMNS / 8); i += 128) {
            const int token = i / (COLUMNS / 8), c = i % (COLUMNS / 8) * 8;
            const bf16* chunk = reinterpret_cast<const bf16*>(from) + token * PITCH + c;
            bf16* to = y + (row + token) * stride + first + c;
            if (wide && c + 8 <= left) {
                *reinterpret_cast<uint4*>(to) = *reinterpret_cast<const uint4*>(chunk);
            } else {
                for (int j = 0; j < 8 && c + j < left; j++) {
                    to[j] = chunk[j];
                }
            }
        }
    }

    template <class Weights>
    static __device__ void tile(const Sums<Plan>& sums, char* shared, const Weights& weights, const ProductTile& tile,
                                bf16* y, long long stride, int N) {
        const Factors factors(weights, tile, N);
        char* own = staging(shared);
#pragma unroll
        for (int part = 0; part < Plan::TOKENS / Plan::PART; part++) {
            const int token = part * Plan::PART;
            if (token >= tile.end) {
                break;
            }
            synchroniseGroup(); // what was staged before has been read
#pragma unroll
            for (int wave = 0; wave < Plan::WAVES; wave++) {
#pragma unroll
                for (int j = 0; j < Plan::PART / 8; j++) {
                    stage(own, 8 * j, wave, sums.d[wave] + (token / 8 + j) * 4, factors.of[wave]);
                }
            }
            synchroniseGroup();
            write(own, y, stride, tile.firstRow + token, max(tile.begin - token, 0),
                  min(Plan::PART, tile.end - token), firstColumn(tile), Plan::GATED ? N / 2 : N);
        }
    }
};
