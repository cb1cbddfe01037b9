// A 128-row tile of a weight matrix times up to TOKENS rows of activations, transposed, so that weights are the side
// that the tensor cores want long: D[128, TOKENS] = W[128, K] * X[TOKENS, K]^T.
//
// Two warpgroups own 64 weight rows each and multiply; one, two or four further warps copy both operands to shared
// memory, in stages of STEP elements of K. A Weights type brings the format:
//
//   STEP, STAGE_BYTES                        elements of K and bytes of the weights' part of a stage
//   UNFINISHED                               stages, 0 or 1, whose products may still run when multiply returns
//   Copier<THREADS>(weights, rows, thread)   copy(stage, k) starts a thread's copies of a stage
//   multiply<TOKENS>(sums, stage, x)         adds a stage's products; x is the address of its activations
//   factor(row)                              float32 multiplier of a matrix row
#pragma once

#include "async_copy.cuh"
#include "bf16.cuh"
#include "stage_barrier.cuh"
#include "wgmma.cuh"

// Launch bounds of a kernel with Weights, TOKENS.
#define PRODUCT_BOUNDS(...) __launch_bounds__(Pipeline<__VA_ARGS__>::THREADS, Pipeline<__VA_ARGS__>::BLOCKS)

constexpr int TILE_ROWS = 128;
constexpr int MULTIPLIERS = 256; // threads

// Sums of a thread, as wgmma leaves them; more than 128 tokens go as two products.
template <int TOKENS>
struct Sums {
    static constexpr int PARTS = TOKENS > 128 ? TOKENS / 128 : 1;
    static constexpr int PART_TOKENS = TOKENS / PARTS;
    float d[PARTS][PART_TOKENS / 2];

    __device__ Sums() {
#pragma unroll
        for (int part = 0; part < PARTS; part++) {
#pragma unroll
            for (float& sum : d[part]) {
                sum = 0;
            }
        }
    }

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
    static constexpr int X_BYTES = TOKENS * Weights::STEP * 2;
    static constexpr int STAGE_BYTES = X_BYTES + (Weights::STAGE_BYTES + 1023) / 1024 * 1024;
    // Blocks share a multiprocessor where their sums leave registers for others: they hide each other's latencies.
    static constexpr int BLOCKS = TOKENS <= 32 ? 3 : TOKENS <= 64 ? 2 : 1;
    static constexpr int FITTING = (BLOCKS == 3 ? 74 : BLOCKS == 2 ? 112 : 224) * 1024 / STAGE_BYTES;
    static constexpr int STAGES = FITTING < 8 ? FITTING : 8;
    static constexpr int BARRIERS = STAGES * STAGE_BYTES; // their place: full ones, then empty ones
    static constexpr int SHARED_BYTES = BARRIERS + STAGES * 16;
    static constexpr int COPIERS = BLOCKS > 1 ? 32 : TOKENS <= 128 ? 64 : 128; // threads
    static constexpr int THREADS = MULTIPLIERS + COPIERS;
    static_assert(STAGES >= 2 + Weights::UNFINISHED, "stages too large");
};

// Activations: `rows` of them, `stride` elements apart, each of K elements in 16-byte chunks.
struct Activations {
    const bf16* first;
    long long stride;
    int rows, K;
};

// One thread's part of the copies of activations: chunk `thread` % 8 of rows THREADS/8 apart.
template <int TOKENS, int STEP, int THREADS>
struct ActivationCopier {
    static constexpr int APART = THREADS / 8;
    static constexpr int COPIES = (TOKENS + APART - 1) / APART;
    const bf16* from;
    long long stride;
    int rows, rest; // rows from this thread's first one on; elements of K from its chunk on
    uint32_t to;

    __device__ ActivationCopier(const Activations& x, int thread)
        : from(x.first + thread / 8 * x.stride + thread % 8 * 8), stride(x.stride * APART), rows(x.rows - thread / 8),
          rest(x.K - thread % 8 * 8), to(swizzledChunk(thread / 8, thread % 8)) {}

    __device__ void copy(uint32_t stage, int k) const {
#pragma unroll
        for (int tile = 0; tile < STEP / 64; tile++) {
            const bool inside = k + tile * 64 < rest;
#pragma unroll 8
            for (int i = 0; i < COPIES; i++) {
                const int r = i * APART;
                const bool valid = inside && r < rows;
                copyAsync16(((stage + to) ^ ((r & 7) << 4)) + tile * (TOKENS * 128) + r * 128,
                            valid ? from + i * stride + k + tile * 64 : from, valid);
            }
        }
    }
};

// Adds the products over the steps [begin, end) of K. All threads of the block enter; those that multiply come back
// with true when the stages are free for other use, those that copy with false.
template <class Weights, int TOKENS, class Rows>
__device__ bool sumProducts(Sums<TOKENS>& sums, char* shared, const Weights& weights, const Activations& x,
                            const Rows& rows, int begin, int end) {
    using P = Pipeline<Weights, TOKENS>;
    const uint32_t base = sharedAddress(shared), full = base + P::BARRIERS, empty = full + P::STAGES * 8;
    if (threadIdx.x == 0) {
        for (int stage = 0; stage < P::STAGES; stage++) {
            createBarrier(full + stage * 8, P::COPIERS);
            createBarrier(empty + stage * 8, MULTIPLIERS / 32);
        }
    }
    __syncthreads();
    const int steps = end - begin;
    // A third whole warpgroup can hand registers over to the two whose sums need them.
    constexpr bool LENDS = P::COPIERS == 128;
    if (threadIdx.x >= MULTIPLIERS) {
        if constexpr (LENDS) {
            asm volatile("setmaxnreg.dec.sync.aligned.u32 40;");
        }
        const typename Weights::template Copier<P::COPIERS> weightCopier(weights, rows, threadIdx.x - MULTIPLIERS);
        const ActivationCopier<TOKENS, Weights::STEP, P::COPIERS> xCopier(x, threadIdx.x - MULTIPLIERS);
        for (int i = 0; i < steps; i++) {
            const int at = i % P::STAGES;
            if (i >= P::STAGES) {
                awaitPhase(empty + at * 8, (i / P::STAGES + 1) & 1);
            }
            weightCopier.copy(base + at * P::STAGE_BYTES + P::X_BYTES, (begin + i) * Weights::STEP);
            xCopier.copy(base + at * P::STAGE_BYTES, (begin + i) * Weights::STEP);
            arriveAfterCopies(full + at * 8);
        }
        return false;
    }
    if constexpr (LENDS) {
        asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
    }
    for (int i = 0; i < steps; i++) {
        const int at = i % P::STAGES;
        awaitPhase(full + at * 8, (i / P::STAGES) & 1);
        showToTensorCores();
        weights.template multiply<TOKENS>(sums, shared + at * P::STAGE_BYTES + P::X_BYTES, base + at * P::STAGE_BYTES);
        __syncwarp();
        if (i >= Weights::UNFINISHED && threadIdx.x % 32 == 0) {
            arrive(empty + (i - Weights::UNFINISHED) % P::STAGES * 8);
        }
    }
    awaitProducts<0>();
    synchroniseFirst<MULTIPLIERS>();
    return true;
}
