// The weight formats of product_plan.cuh. One thread fetches: fetch<Plan>(to, barrier, tile, at) starts the copies of
// stage `at` of K to the weights' part of a stage. All multiply: enter(tile, ...), multiply(sums, stage, at) for every
// stage, finish(sums).
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

    template <class Plan>
    __device__ void enter(const ProductTile&, int, int) {}

    template <class Plan>
    __device__ void finish(Sums<Plan>&) const {}

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
    template <class Plan>
    __device__ void enter(const ProductTile& tile, int rowTile128, int begin) {
        const int blocks = (N + 127) / 128;
        const int block = GATED ? rowTile128 / 2 : min(rowTile128, blocks - 1);
        own = scales + ((long long)tile.expert * blocks + block) * steps;
        if (GATED) {
            partner = (min((N / 2 + rowTile128 * 64) / 128, blocks - 1) - block) * steps;
        }
        read(begin);
    }

    template <class Plan>
    __device__ void finish(Sums<Plan>&) const {}

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

    // Of warps that multiply by themselves: where this thread's codes, scales and activations lie in a stage, and sums
    // of the later halves of stages, so that products of one half need not wait for those of the other.
    int codesAt, scalesAt, xAt;
    float second[2][8];

    struct Words {
        uint32_t of[4];

        Words() = default;
        __device__ explicit Words(const char* from) {
            const uint4 four = *reinterpret_cast<const uint4*>(from);
            of[0] = four.x;
            of[1] = four.y;
            of[2] = four.z;
            of[3] = four.w;
        }
    };

    template <bool GATED>
    __device__ static Nvfp4Weights of(const char* tiles, const float* segmentScales, int segments, int N, int K) {
        const int rowTiles = (TileRows<GATED>::of(N) + TileRows<GATED>::COLUMNS - 1) / TileRows<GATED>::COLUMNS;
        return {tiles, segmentScales, segments, N / segments, rowTiles, (K + STEP - 1) / STEP, 0, 0, 0, {}};
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

    template <class Plan>
    __device__ void multiply(Sums<Plan>& sums, const char* stage, int) {
        if constexpr (Plan::TOKENS > 16) {
            multiplyByGroups(sums, stage);
        } else {
            multiplyByWarps(sums, stage);
        }
    }

    // Where in a stage the codes and scales of a warp's 16 rows of a wave lie.
    template <class Plan>
    struct WarpRows {
        int codes, scales;

        __device__ explicit WarpRows(int wave) {
            const int row = WaveRows<Plan>::at(wave, 1), warp = row % TILE_ROWS / 16 + threadIdx.x / 32 % 4;
            const int tile = Plan::X_BYTES + row / TILE_ROWS * TILE_BYTES;
            codes = tile + warp * 1024;
            scales = tile + NVFP4_CODE_BYTES + warp * 128;
        }
    };

    // Warpgroup products of 16 elements side by side, as activations lie; codes of a wave's later half, and of the next
    // wave, are loaded behind products.
    template <class Plan>
    __device__ static void multiplyByGroups(Sums<Plan>& sums, const char* stage) {
        const uint64_t b = swizzledTile(sharedAddress(stage));
        const int lane = threadIdx.x % 32;
        const uint32_t chunk = sharedAddress(stage) + lane / 8 * 128 + (lane % 8 ^ lane / 8 * 2) * 16;
        constexpr int HALVES = 2 * Plan::WAVES;
        const WarpRows<Plan> first(0);
        Words scales[Plan::WAVES] = {Words(stage + first.scales + lane / 4 * 16)};
        uint32_t codes[2][4];
        loadMatrices(codes[0], chunk + first.codes);
#pragma unroll
        for (int at = 0; at < HALVES; at++) {
            const int wave = at / 2, half = at % 2;
#pragma unroll
            for (int i = 0; i < 4; i += 2) {
                if (i == 2 && at + 1 < HALVES) {
                    const WarpRows<Plan> next((at + 1) / 2);
                    if (half == 1) {
                        scales[(at + 1) / 2] = Words(stage + next.scales + lane / 4 * 16);
                    }
                    loadMatrices(codes[1 - half], chunk + next.codes + (1 - half) * 512);
                }
                uint32_t a[2][4];
                expandTileWord(a[0], codes[half][i], TileScales(scales[wave].of[i]).block[half]);
                expandTileWord(a[1], codes[half][i + 1], TileScales(scales[wave].of[i + 1]).block[half]);
                openProducts();
                ::multiply(sums.d[wave], a[0], b + half * (Plan::TOKENS * 8) + 2 * i);
                ::multiply(sums.d[wave], a[1], b + half * (Plan::TOKENS * 8) + 2 * i + 2);
                closeProducts();
                awaitProducts<1>();
            }
        }
        awaitProducts<0>();
    }

    // Warps by themselves. A product may take any elements of K that both sides agree on: thread t of four takes four
    // of block t in each of four products, so one scale of a row serves them all. Its four elements lie side by side
    // with the activations; of weights they are two pairs of one word and the same two of the next. Activations are
    // read once for all waves.
    template <class Plan>
    __device__ void multiplyByWarps(Sums<Plan>& sums, const char* stage) {
        Words x[2][Plan::TOKENS / 8][2];
#pragma unroll
        for (int wave = 0; wave < Plan::WAVES; wave++) {
            // A wave's rows are 64, four warps' 16, further.
            const TileScales scales(*reinterpret_cast<const uint32_t*>(stage + wave * (4 * 128) + scalesAt));
            Words codes[2];
#pragma unroll
            for (int half = 0; half < 2; half++) {
                codes[half] = Words(stage + wave * (4 * 1024) + half * 512 + codesAt);
#pragma unroll
                for (int j = 0; wave == 0 && j < Plan::TOKENS / 8; j++) {
#pragma unroll
                    for (int c = 0; c < 2; c++) {
                        x[half][j][c] = Words(stage + (half * Plan::TOKENS + 8 * j) * 128 + (xAt ^ 16 * c));
                    }
                }
            }
#pragma unroll
            for (int i = 0; i < 4; i += 2) {
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    uint32_t a[2][4];
                    expandTileWord(a[0], codes[half].of[i], scales.block[half]);
                    expandTileWord(a[1], codes[half].of[i + 1], scales.block[half]);
#pragma unroll
                    for (int c = 0; c < 2; c++) {
#pragma unroll
                        for (int j = 0; j < Plan::TOKENS / 8; j++) {
                            float* d = (half == 0 ? sums.d[wave] : second[wave]) + 4 * j;
                            addWarpProduct(*reinterpret_cast<float(*)[4]>(d),
                                           {a[0][2 * c], a[0][2 * c + 1], a[1][2 * c], a[1][2 * c + 1]},
                                           {x[half][j][c].of[i], x[half][j][c].of[i + 1]});
                        }
                    }
                }
            }
        }
    }

    template <class Plan>
    __device__ void enter(const ProductTile&, int, int) {
#pragma unroll
        for (auto& wave : second) {
#pragma unroll
            for (float& sum : wave) {
                sum = 0;
            }
        }
        const int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
        const WarpRows<Plan> rows(0);
        codesAt = rows.codes + t * 128 + (g ^ 2 * t) * 16;
        scalesAt = rows.scales + lane * 4;
        xAt = swizzledChunk(g, 2 * t);
        // Or the compiler works them out again in every stage.
        asm volatile("" : "+r"(codesAt), "+r"(scalesAt), "+r"(xAt));
    }

    template <class Plan>
    __device__ void finish(Sums<Plan>& sums) const {
        if constexpr (Plan::TOKENS <= 16) {
#pragma unroll
            for (int wave = 0; wave < Plan::WAVES; wave++) {
#pragma unroll
                for (int i = 0; i < Plan::TOKENS / 2; i++) {
                    sums.d[wave][i] += second[wave][i];
                }
            }
        }
    }

    __device__ float factor(int expert, int row) const {
        return NVFP4_TILE_RANGE * segmentScales[expert * segments + row / segmentRows];
    }
};
