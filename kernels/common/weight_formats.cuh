// The weight formats of weight_product.cuh.
#pragma once

#include "nvfp4.cuh"
#include "tile_rows.cuh"
#include "weight_product.cuh"

// One thread's part of the copies of a tile: piece `thread` % PIECES of rows THREADS/PIECES apart. Both parts of a row
// number have bits of their own, so that what depends on the thread is computed once.
template <int PIECES, int THREADS>
struct TileCopier {
    static constexpr int APART = THREADS / PIECES;
    const char* from;
    long long pitch, half; // bytes from row to row and from a row to its partner
    int left;              // columns of y from this thread's first row on

    template <bool GATED>
    __device__ TileCopier(const void* first, long long pitch, int pieceBytes, const TileRows<GATED>& rows, int thread)
        : from(static_cast<const char*>(first) + rows.unchecked(thread / PIECES) * pitch +
               thread % PIECES * pieceBytes),
          pitch(pitch), half(GATED ? rows.N / 2 * pitch : 0), left(rows.left() - rows.column(thread / PIECES)) {}

    // start(q, source, valid) for each of the thread's rows, q rows behind its first.
    template <bool GATED, class Start>
    __device__ void forEachRow(Start start) const {
#pragma unroll
        for (int q = 0; q < TILE_ROWS; q += APART) {
            const int column = TileRows<GATED>::column(q);
            start(q, from + column * pitch + (GATED && q / 8 % 2 == 1 ? half : 0), column < left);
        }
    }
};

// Row-major bf16 [N,K], K % 8 == 0: a swizzled tile that the tensor cores read themselves.
template <bool GATED>
struct Bf16Weights {
    static constexpr int STEP = 64;
    static constexpr int STAGE_BYTES = TILE_ROWS * STEP * 2;
    static constexpr int UNFINISHED = 1;
    const bf16* w;
    int K;

    template <int THREADS>
    struct Copier {
        TileCopier<8, THREADS> tile;
        int rest; // elements of K from this thread's piece on
        uint32_t to;

        __device__ Copier(const Bf16Weights& weights, const TileRows<GATED>& rows, int thread)
            : tile(weights.w, 2ll * weights.K, 16, rows, thread), rest(weights.K - thread % 8 * 8),
              to(swizzledChunk(thread / 8, thread % 8)) {}

        __device__ void copy(uint32_t stage, int k) const {
            const bool inside = k < rest;
            tile.template forEachRow<GATED>([&](int q, const char* from, bool valid) {
                copyAsync16(((stage + to) ^ ((q & 7) << 4)) + q * 128, inside ? from + 2 * k : from, inside && valid);
            });
        }
    };

    template <int TOKENS>
    __device__ void multiply(Sums<TOKENS>& sums, const char* stage, uint32_t x) const {
        const uint64_t a = swizzledTile(sharedAddress(stage) + threadIdx.x / 128 * (64 * 128));
        const uint64_t b = swizzledTile(x);
        openProducts();
#pragma unroll
        for (int k = 0; k < STEP / 16; k++) {
            sums.add(a + 2 * k, b + 2 * k);
        }
        closeProducts();
        awaitProducts<UNFINISHED>();
    }

    __device__ float factor(int) const {
        return 1;
    }
};

// NVFP4, K % 64 == 0: codes [N,K/2], low nibble first, block scales [N,K/16], one float32 for each segment of rows, all
// row-major as in the checkpoint. Each thread expands its fragments of A in registers, two k16 products at a time into
// one of two sets, while the products of the other set run.
template <bool GATED, int K_STEP>
struct Nvfp4Weights {
    static constexpr int STEP = K_STEP;
    static constexpr int CHUNKS = STEP / 32; // of 16 bytes of codes in a row
    static constexpr int CODE_BYTES = TILE_ROWS * STEP / 2;
    static constexpr int STAGE_BYTES = CODE_BYTES + TILE_ROWS * STEP / 16;
    static constexpr int UNFINISHED = 0;
    const uint8_t* codes;
    const uint8_t* scales;
    const float* segmentScales;
    int segmentRows, K;

    // The place of chunk c of row r in a stage; spreads neighbouring rows over the banks.
    __device__ static int place(int r, int c) {
        return r * (STEP / 2) + ((c ^ (r & (CHUNKS - 1))) << 4);
    }

    template <int THREADS>
    struct Copier {
        TileCopier<CHUNKS, THREADS> codes;
        TileCopier<STEP / 64, THREADS> scales; // four bytes for 64 elements
        int codesRest, scalesRest;             // elements of K from this thread's pieces on
        uint32_t codesTo, scalesTo;

        __device__ Copier(const Nvfp4Weights& weights, const TileRows<GATED>& rows, int thread)
            : codes(weights.codes, weights.K / 2, 16, rows, thread),
              scales(weights.scales, weights.K / 16, 4, rows, thread),
              codesRest(weights.K - thread % CHUNKS * 32), scalesRest(weights.K - thread % (STEP / 64) * 64),
              codesTo(place(thread / CHUNKS, thread % CHUNKS)), scalesTo(CODE_BYTES + thread * 4) {}

        __device__ void copy(uint32_t stage, int k) const {
            codes.template forEachRow<GATED>([&](int q, const char* from, bool valid) {
                copyAsync16(((stage + codesTo) ^ ((q & (CHUNKS - 1)) << 4)) + q * (STEP / 2), from + k / 2,
                            k < codesRest && valid);
            });
            scales.template forEachRow<GATED>([&](int q, const char* from, bool valid) {
                copyAsync4(stage + scalesTo + q * (STEP / 16), from + k / 16, k < scalesRest && valid);
            });
        }
    };

    template <int TOKENS>
    __device__ void multiply(Sums<TOKENS>& sums, const char* stage, uint32_t x) const {
        const int lane = threadIdx.x % 32, upper = threadIdx.x / 32 * 16 + lane / 4;
        const int rows[2] = {upper, upper + 8};
        // A fragment's elements 2t, 2t+1 of eight are byte t of the word that holds the eight codes.
        const uint32_t mine = 0x4440 + lane % 4;
#pragma unroll 1
        for (int k64 = 0; k64 < STEP / 64; k64++) {
            const uint32_t scaleWords[2] = {scaleWord(stage, rows[0], k64), scaleWord(stage, rows[1], k64)};
            uint4 codes[2][2]; // [row][half of 64 elements]
#pragma unroll
            for (int i = 0; i < 4; i++) {
                codes[i % 2][i / 2] =
                    *reinterpret_cast<const uint4*>(stage + place(rows[i % 2], 2 * k64 + i / 2));
            }
            const BlockScales scale[2] = {BlockScales(scaleWords[0]), BlockScales(scaleWords[1])};
            const uint64_t b = swizzledTile(x + k64 * (TOKENS * 128));
#pragma unroll
            for (int half = 0; half < 2; half++) {
                uint32_t a[2][4]; // two k16 products
#pragma unroll
                for (int r = 0; r < 2; r++) {
                    const uint4& from = codes[r][half];
                    const uint32_t words[4] = {from.x, from.y, from.z, from.w};
#pragma unroll
                    for (int i = 0; i < 4; i++) {
                        const uint32_t factor = scale[r].twice(2 * half + i / 2);
                        a[i / 2][i % 2 * 2 + r] =
                            multiplyBf16Pairs(expandCodes(__byte_perm(words[i], 0, mine)), factor);
                    }
                }
                openProducts();
                sums.add(a[0], b + 4 * half);
                sums.add(a[1], b + 4 * half + 2);
                closeProducts();
                awaitProducts<1>();
            }
            // With products of register operands in flight around a loop, ptxas would serialise them all (C7515).
            awaitProducts<0>();
        }
    }

    __device__ float factor(int row) const {
        return NVFP4_RANGE * segmentScales[row / segmentRows];
    }

private:
    __device__ static uint32_t scaleWord(const char* stage, int row, int k64) {
        return *reinterpret_cast<const uint32_t*>(stage + CODE_BYTES + (row * (STEP / 64) + k64) * 4);
    }
};

// Long steps where weights rule, short ones where wide activations fill the stages.
template <bool GATED, int TOKENS>
using Nvfp4 = Nvfp4Weights<GATED, TOKENS <= 8 ? 256 : TOKENS <= 64 ? 128 : 64>;
