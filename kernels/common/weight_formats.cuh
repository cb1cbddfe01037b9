// The weight formats of weight_product.cuh.
#pragma once

#include "nvfp4.cuh"
#include "weight_product.cuh"

// Row-major bf16 [N,K], K % 8 == 0: a swizzled tile that the tensor cores read themselves.
struct Bf16Weights {
    static constexpr int STEP = 64;
    static constexpr int STAGE_BYTES = TILE_ROWS * STEP * 2;
    const bf16* w;
    int K;

    template <class Row>
    __device__ void copy(uint32_t stage, int k, Row row) const {
        for (int i = threadIdx.x; i < TILE_ROWS * 8; i += PRODUCT_THREADS) {
            const int n = row(i / 8), at = k + i % 8 * 8;
            const bool valid = n >= 0 && at < K;
            copyAsync16(stage + swizzledChunk(i / 8, i % 8), valid ? w + (long long)n * K + at : w, valid);
        }
    }

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
        awaitProducts<1>();
    }

    __device__ float factor(int) const {
        return 1;
    }
};

// NVFP4, K % 64 == 0: codes [N,K/2], low nibble first, block scales [N,K/16], one float32 for each segment of rows, all
// row-major as in the checkpoint. Each thread expands its fragments of A in registers, two k16 products at a time into
// one of two sets, while the products of the other set run.
template <int K_STEP>
struct Nvfp4Weights {
    static constexpr int STEP = K_STEP;
    static constexpr int CHUNKS = STEP / 32; // of 16 bytes of codes in a row
    static constexpr int CODE_BYTES = TILE_ROWS * STEP / 2;
    static constexpr int STAGE_BYTES = CODE_BYTES + TILE_ROWS * STEP / 16;
    const uint8_t* codes;
    const uint8_t* scales;
    const float* segmentScales;
    int segmentRows, K;

    // The chunk of codes that a stage keeps at place c of row r; spreads neighbouring rows over the banks.
    __device__ static int place(int r, int c) {
        return r * (STEP / 2) + ((c ^ (r & (CHUNKS - 1))) << 4);
    }

    template <class Row>
    __device__ void copy(uint32_t stage, int k, Row row) const {
        for (int i = threadIdx.x; i < TILE_ROWS * CHUNKS; i += PRODUCT_THREADS) {
            const int r = i / CHUNKS, c = i % CHUNKS, n = row(r), at = k + c * 32;
            const bool valid = n >= 0 && at < K;
            copyAsync16(stage + place(r, c), valid ? codes + (long long)n * (K / 2) + at / 2 : codes, valid);
        }
        for (int i = threadIdx.x; i < TILE_ROWS * (STEP / 64); i += PRODUCT_THREADS) {
            const int n = row(i / (STEP / 64)), at = k + i % (STEP / 64) * 64;
            const bool valid = n >= 0 && at < K;
            copyAsync4(stage + CODE_BYTES + i * 4, valid ? scales + (long long)n * (K / 16) + at / 16 : scales, valid);
        }
    }

    template <int TOKENS>
    __device__ void multiply(Sums<TOKENS>& sums, const char* stage, uint32_t x) const {
        const int lane = threadIdx.x % 32, upper = threadIdx.x / 32 * 16 + lane / 4;
        const int rows[2] = {upper, upper + 8};
        // Byte t of the eight that hold a block's codes 0..7, then of those of codes 8..15: a fragment's elements.
        const uint32_t mine = lane % 4 * 0x11 + 0x40;
#pragma unroll 1
        for (int k64 = 0; k64 < STEP / 64; k64++) {
            uint4 words[2][2]; // [row][half of 64 codes]
            BlockScales scale[2] = {scaleWord(stage, rows[0], k64), scaleWord(stage, rows[1], k64)};
#pragma unroll
            for (int i = 0; i < 4; i++) {
                words[i / 2][i % 2] =
                    *reinterpret_cast<const uint4*>(stage + place(rows[i / 2], 2 * k64 + i % 2));
            }
            const uint64_t b = swizzledTile(x + k64 * (TOKENS * 128));
#pragma unroll
            for (int half = 0; half < 2; half++) {
                uint32_t a[2][4];
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    const int k16 = i / 2, r = i % 2;
                    const uint4& from = words[r][half];
                    const uint32_t own = k16 == 0 ? __byte_perm(from.x, from.y, mine) : __byte_perm(from.z, from.w, mine);
                    expandCodes(own, a[k16][r], a[k16][r + 2]);
                    const uint32_t factor = scale[r].twice(2 * half + k16);
                    a[k16][r] = multiplyBf16Pairs(a[k16][r], factor);
                    a[k16][r + 2] = multiplyBf16Pairs(a[k16][r + 2], factor);
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
        return segmentScales[row / segmentRows];
    }

private:
    __device__ static BlockScales scaleWord(const char* stage, int row, int k64) {
        return BlockScales(*reinterpret_cast<const uint32_t*>(stage + CODE_BYTES + (row * (STEP / 64) + k64) * 4));
    }
};

// Long steps where weights rule, short ones where wide activations fill the stages.
template <int TOKENS>
using Nvfp4 = Nvfp4Weights<TOKENS <= 16 ? 256 : TOKENS <= 64 ? 128 : 64>;
