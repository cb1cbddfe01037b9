// A 128-row tile of a weight matrix times up to TOKENS rows of activations, transposed, so that weights are the side
// that the tensor cores want long: D[128, TOKENS] = W[128, K] * X[TOKENS, K]^T, 256 threads.
//
// Two warpgroups own 64 weight rows each. Both operands come through shared memory in stages of STEP elements of K,
// copied asynchronously DISTANCE stages ahead; a stage is overwritten two steps after its use, which leaves the youngest
// products in flight across the barrier. A Weights type brings the format:
//
//   STEP, STAGE_BYTES                        elements of K and bytes of the weights' part of a stage
//   copy(stage, k, row)                      starts the copies of a stage; row(r) is the matrix row of tile row r or -1
//   multiply<TOKENS>(sums, stage, x)         adds a stage's products; x is the address of its activations
//   factor(row)                              float32 multiplier of a matrix row
#pragma once

#include "async_copy.cuh"
#include "bf16.cuh"
#include "wgmma.cuh"

constexpr int TILE_ROWS = 128;
constexpr int PRODUCT_THREADS = 256;

// Sums of a thread, as wgmma leaves them; more than 128 tokens go as two products.
template <int TOKENS>
struct Sums {
    static constexpr int PARTS = TOKENS > 128 ? TOKENS / 128 : 1;
    static constexpr int PART_TOKENS = TOKENS / PARTS;
    float d[PARTS][PART_TOKENS / 2];

    // Adds products with 16 elements of K of every token; x describes the first part's tile.
    template <class A>
    __device__ void add(const A& a, uint64_t x) {
#pragma unroll
        for (int part = 0; part < PARTS; part++) {
            multiply(d[part], a, x + part * (PART_TOKENS * 128 / 16));
        }
    }
};

template <class Weights, int TOKENS>
struct Pipeline {
    static constexpr int STEP = Weights::STEP;
    static constexpr int X_BYTES = TOKENS * STEP * 2;
    static constexpr int STAGE_BYTES = X_BYTES + (Weights::STAGE_BYTES + 1023) / 1024 * 1024;
    // Two blocks share a multiprocessor where the sums leave registers for two.
    static constexpr int BLOCKS = TOKENS <= 64 ? 2 : 1;
    static constexpr int FITTING = (BLOCKS == 2 ? 112 : 224) * 1024 / STAGE_BYTES;
    static constexpr int STAGES = FITTING < 8 ? FITTING : 8;
    static constexpr int DISTANCE = STAGES - 2;
    static constexpr int SHARED_BYTES = STAGES * STAGE_BYTES;
    static_assert(DISTANCE >= 1, "stages too large");
};

// Activations: `rows` of them, `stride` elements apart, each of K elements in 16-byte chunks.
struct Activations {
    const bf16* first;
    long long stride;
    int rows, K;

    template <int TOKENS, int STEP>
    __device__ void copy(uint32_t stage, int k) const {
        constexpr int CHUNKS = STEP / 8;
        for (int i = threadIdx.x; i < TOKENS * CHUNKS; i += PRODUCT_THREADS) {
            const int row = i / CHUNKS, chunk = i % CHUNKS;
            const bool valid = row < rows && k + chunk * 8 < K;
            const bf16* from = valid ? first + row * stride + k + chunk * 8 : first;
            copyAsync16(stage + chunk / 8 * (TOKENS * 128) + swizzledChunk(row, chunk % 8), from, valid);
        }
    }
};

// Sums over the steps [begin, end) of K. On return the stages are free for other use.
template <class Weights, int TOKENS, class Row>
__device__ void sumProducts(Sums<TOKENS>& sums, char* shared, const Weights& weights, const Activations& x, Row row,
                            int begin, int end) {
    using P = Pipeline<Weights, TOKENS>;
    const uint32_t base = sharedAddress(shared);
    auto copyStage = [&](int step) {
        const uint32_t stage = base + (step - begin) % P::STAGES * P::STAGE_BYTES;
        if (step < end) {
            weights.copy(stage + P::X_BYTES, step * P::STEP, row);
            x.copy<TOKENS, P::STEP>(stage, step * P::STEP);
        }
        closeCopyGroup();
    };
#pragma unroll
    for (int part = 0; part < Sums<TOKENS>::PARTS; part++) {
#pragma unroll
        for (float& d : sums.d[part]) {
            d = 0;
        }
    }
    for (int ahead = 0; ahead < P::DISTANCE; ahead++) {
        copyStage(begin + ahead);
    }
    for (int step = begin; step < end; step++) {
        awaitCopyGroups<P::DISTANCE - 1>();
        publishToTensorCores();
        __syncthreads();
        copyStage(step + P::DISTANCE);
        const int at = (step - begin) % P::STAGES * P::STAGE_BYTES;
        weights.template multiply<TOKENS>(sums, shared + at + P::X_BYTES, base + at);
    }
    awaitProducts<0>();
    __syncthreads();
}
