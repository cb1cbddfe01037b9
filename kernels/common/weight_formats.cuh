// The weight formats of product_plan.cuh. One thread fetches: fetch<Plan>(to, barrier, tile, at) starts the copies of
// stage `at` of K to the weights' part of a stage. All multiply: multiply(sums, stage, at).
#pragma once

#include "nvfp4_tiles.cuh"
#include "product_tiles.cuh"
#include "tensor_copy.cuh"
#include "tile_rows.cuh"
#include "warp_product.cuh"
#include "wgmma.cuh"
#include "wgmma_fp8.cuh"

// Where this thread's warpgroup multiplies: 64 rows of one tile, or both halves of its own one.
template <class Plan>
struct WaveRows {
    // Byte distance, or row, of a wave's first row when rows of a tile are `pitch` apart.
    __device__ static int at(int wave, int pitch) {
        const int group = threadIdx.x / 128;
        return (Plan::TILES == 2 ? group * TILE_ROWS + wave * 64 : group * 64) * pitch;
    }
};

// Copies of row-major matrices [E,N,K] by a tensor map of boxes of 128 bytes of 128 rows: axes K, rows, halves, eights
// of rows, experts. PLAIN has all rows on its second axis; GATED reads eight rows of either half in turn.
template <class Plan>
__device__ void fetchRows(uint32_t to, const CUtensorMap& map, Barrier& barrier, const ProductTile& tile, int k,
                          uint64_t policy) {
#pragma unroll
    for (int i = 0; i < Plan::TILES; i++) {
        const int rows = tile.rowTile * Plan::TILES + i;
        copyBox(to + i * (TILE_ROWS * 128), map, barrier, k, Plan::GATED ? 0 : rows * TILE_ROWS, 0,
                Plan::GATED ? rows * (TILE_ROWS / 16) : 0, tile.expert, policy);
    }
}

// Row-major bf16 [E,N,K], K % 8 == 0.
struct Bf16Weights {
    static constexpr int STEP = 64, X_ELEMENT = 2;
    static constexpr int TILE_BYTES = TILE_ROWS * STEP * 2;
    static constexpr bool TOKEN_SCALES = false;
    static constexpr int UNFINISHED = 1;
    const CUtensorMap& map;

    template <class Plan>
    __device__ void fetch(uint32_t to, Barrier& barrier, const ProductTile& tile, int at, uint64_t policy) const {
        fetchRows<Plan>(to, map, barrier, tile, at * STEP, policy);
    }

    __device__ void enter(const ProductTile&, int, int) {}

    template <class Plan>
    __device__ void multiply(Sums<Plan>& sums, const char* stage, int) {
        const uint64_t b = swizzledTile(sharedAddress(stage));
        openProducts();
#pragma unroll
        for (int wave = 0; wave < Plan::WAVES; wave++) {
            const uint64_t a = swizzledTile(sharedAddress(stage) + Plan::X_BYTES + WaveRows<Plan>::at(wave, 128));
#pragma unroll
            for (int k = 0; k < STEP / 16; k++) {
                ::multiply(sums.d[wave], a + 2 * k, b + 2 * k);
            }
        }
        closeProducts();
        awaitProducts<UNFINISHED>();
    }

    __device__ float factor(int, int) const {
        return 1;
    }
};

// Row-major E4M3 [E,N,K], K % 16 == 0, one float32 scale for 128 x 128 elements. A stage's products are summed by the
// tensor cores, which keep too few bits for more, scaled, and added in float32.
template <bool GATED>
struct Fp8Weights {
    static constexpr int STEP = 128, X_ELEMENT = 1;
    static constexpr int TILE_BYTES = TILE_ROWS * STEP;
    static constexpr bool TOKEN_SCALES = true;
    static constexpr int UNFINISHED = 0;
    const CUtensorMap& map;
    const float* scales; // [E, ceil(N/128), ceil(K/128)]
    int N, steps;
    const float* own; // scales of the rows of this warpgroup's tile, eight of every sixteen
    int partner;      // how much further those of the other eight lie
    float next[2];

    __device__ Fp8Weights(const CUtensorMap& map, const float* scales, int N, int K)
        : map(map), scales(scales), N(N), steps((K + STEP - 1) / STEP), own(scales), partner(0), next{} {}

    template <class Plan>
    __device__ void fetch(uint32_t to, Barrier& barrier, const ProductTile& tile, int at, uint64_t policy) const {
        fetchRows<Plan>(to, map, barrier, tile, at * STEP, policy);
    }

    // Scales are read one stage ahead. rowTile128 is that of this warpgroup.
    __device__ void enter(const ProductTile& tile, int rowTile128, int begin) {
        const int blocks = (N + 127) / 128;
        const int block = GATED ? rowTile128 / 2 : min(rowTile128, blocks - 1);
        own = scales + ((long long)tile.expert * blocks + block) * steps;
        if (GATED) {
            partner = (min((N / 2 + rowTile128 * 64) / 128, blocks - 1) - block) * steps;
        }
        read(begin);
    }

    __device__ void read(int at) {
        next[0] = own[at];
        next[1] = GATED ? own[partner + at] : next[0];
    }

    template <class Plan>
    __device__ void multiply(Sums<Plan>& sums, const char* stage, int at) {
        const float scale[2] = {next[0], next[1]};
        read(min(at + 1, steps - 1));
        const uint64_t b = swizzledTile(sharedAddress(stage));
        const float2* tokens = reinterpret_cast<const float2*>(stage + Plan::SCALES_AT) + threadIdx.x % 4;
        float fresh[Plan::TOKENS / 2];
#pragma unroll
        for (int wave = 0; wave < Plan::WAVES; wave++) {
            const uint64_t a = swizzledTile(sharedAddress(stage) + Plan::X_BYTES + WaveRows<Plan>::at(wave, 128));
            openProducts();
            multiplyE4m3<false>(fresh, a, b);
#pragma unroll
            for (int k = 1; k < STEP / 32; k++) {
                multiplyE4m3<true>(fresh, a + 2 * k, b + 2 * k);
            }
            closeProducts();
            awaitProducts<0>();
#pragma unroll
            for (int j = 0; j < Plan::TOKENS / 8; j++) {
                const float2 token = tokens[4 * j];
                float* sum = sums.d[wave] + 4 * j;
                sum[0] += fresh[4 * j] * (token.x * scale[0]);
                sum[1] += fresh[4 * j + 1] * (token.y * scale[0]);
                sum[2] += fresh[4 * j + 2] * (token.x * scale[1]);
                sum[3] += fresh[4 * j + 3] * (token.y * scale[1]);
            }
        }
    }

    __device__ float factor(int, int) const {
        return 1;
    }
};

// NVFP4 in tiles (nvfp4_tiles.cuh), one float32 scale for each segment of rows of an expert. Weights are expanded in
// registers; up to 16 tokens warps multiply by themselves, which costs less than wide products of few columns.
struct Nvfp4Weights {
    static constexpr int STEP = NVFP4_TILE_K, X_ELEMENT = 2;
    static constexpr int TILE_BYTES = NVFP4_TILE_BYTES;
    static constexpr bool TOKEN_SCALES = false;
    static constexpr int UNFINISHED = 0;
    const char* tiles;
    const float* segmentScales; // [E, segments]
    int segments, segmentRows, rowTiles, steps;

    template <bool GATED>
    __device__ static Nvfp4Weights of(const char* tiles, const float* segmentScales, int segments, int N, int K) {
        const int rowTiles = (TileRows<GATED>::of(N) + TileRows<GATED>::COLUMNS - 1) / TileRows<GATED>::COLUMNS;
        return {tiles, segmentScales, segments, N / segments, rowTiles, (K + STEP - 1) / STEP};
    }

    template <class Plan>
    __device__ void fetch(uint32_t to, Barrier& barrier, const ProductTile& tile, int at, uint64_t policy) const {
#pragma unroll
        for (int i = 0; i < Plan::TILES; i++) {
            // A missing second tile is read as its neighbour; nobody asks for its results.
            const int row = min(tile.rowTile * Plan::TILES + i, rowTiles - 1);
            const long long from = ((long long)tile.expert * rowTiles + row) * steps + at;
            copyBytes(to + i * TILE_BYTES, tiles + from * TILE_BYTES, TILE_BYTES, barrier, policy);
        }
    }

    // The eight words of codes and 16 bytes of scales of this thread's rows in a wave.
    struct Fragments {
        uint4 codes[2], scales;

        template <class Plan>
        __device__ static Fragments load(const char* stage, int wave) {
            const int row = WaveRows<Plan>::at(wave, 1), warp = row % TILE_ROWS / 16 + threadIdx.x / 32 % 4;
            const char* tile = stage + Plan::X_BYTES + row / TILE_ROWS * TILE_BYTES;
            const int lane = threadIdx.x % 32;
            const uint4* codes = reinterpret_cast<const uint4*>(tile) + warp * 64 + lane;
            const uint4* scales = reinterpret_cast<const uint4*>(tile + NVFP4_CODE_BYTES) + warp * 8 + lane / 4;
            return {{codes[0], codes[32]}, *scales};
        }
    };

    template <class Plan>
    __device__ void multiply(Sums<Plan>& sums, const char* stage, int) {
#pragma unroll
        for (int wave = 0; wave < Plan::WAVES; wave++) {
            const Fragments own = Fragments::template load<Plan>(stage, wave);
            const uint32_t codes[8] = {own.codes[0].x, own.codes[0].y, own.codes[0].z, own.codes[0].w,
                                       own.codes[1].x, own.codes[1].y, own.codes[1].z, own.codes[1].w};
            const uint32_t scaleWords[4] = {own.scales.x, own.scales.y, own.scales.z, own.scales.w};
#pragma unroll
            for (int pair = 0; pair < 4; pair++) {
                const TileScales scales(scaleWords[pair]);
                uint32_t a[2][4];
                expandTileWord(a[0], codes[2 * pair], scales.product[0]);
                expandTileWord(a[1], codes[2 * pair + 1], scales.product[1]);
                add<Plan>(sums.d[wave], a, sharedAddress(stage) + pair / 2 * (Plan::TOKENS * 128), pair % 2);
            }
            if constexpr (Plan::TOKENS > 16) {
                awaitProducts<0>();
            }
        }
    }

    // Adds the products with 32 elements of K, half a box of activations.
    template <class Plan>
    __device__ static void add(float (&sums)[Plan::TOKENS / 2], const uint32_t (&a)[2][4], uint32_t box, int half) {
        if constexpr (Plan::TOKENS > 16) {
            const uint64_t b = swizzledTile(box) + 4 * half;
            openProducts();
            ::multiply(sums, a[0], b);
            ::multiply(sums, a[1], b + 2);
            closeProducts();
            awaitProducts<1>();
        } else {
            const int lane = threadIdx.x % 32;
#pragma unroll
            for (int j = 0; j < Plan::TOKENS / 8; j++) {
                uint32_t b[4];
                loadMatrices(b, box + swizzledChunk(8 * j + lane % 8, 4 * half + lane / 8));
                float(&d)[4] = *reinterpret_cast<float(*)[4]>(sums + 4 * j);
                addWarpProduct(d, a[0], {b[0], b[1]});
                addWarpProduct(d, a[1], {b[2], b[3]});
            }
        }
    }

    __device__ void enter(const ProductTile&, int, int) {}

    __device__ float factor(int expert, int row) const {
        return NVFP4_TILE_RANGE * segmentScales[expert * segments + row / segmentRows];
    }
};
