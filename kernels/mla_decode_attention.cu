// mla_decode_attention: attention of MLA in its absorbed form against the paged latent cache, rows of 576 = 512 + 64.
//
// Math      score[i,h,s] = scale * (q[i,h,:] . cache[row(s),:]) for s <= past + i; out[i,h,:] =
//           sum_s softmax_s(score[i,h])[s] * cache[row(s),0:512]; i and s counted within a sequence, whose own tokens
//           are in the cache already; scale > 0
// Shapes    q [T,Q,576], cache [pages, pageTokens, 576] bf16 or e4m3 with scale 1, out [T,Q,512], starts [B+1],
//           past [B], pageTable [B, tablePages] int32, partial [P,512], logSum [P] float32; any T, Q, B, past,
//           pageTokens
// Layout    steps in elements between tokens and heads as named, elements of a head side by side; steps of q are
//           multiples of 8, those of out of 2, pointers of 16 bytes; cache and tables are contiguous
// Roofline  flops = 2176*Q*pairs with pairs = sum_b(n*past + n*(n+1)/2), bytes = 2*T*Q*1088 + sum_b(past+n)*576*(size
//           of a cache element): about even on H100 at 128 heads and one query, bandwidth-bound at fewer heads
// Launch    grid (ceil(longest*Q/64), ceil(keys/chunk), B), longest = most new tokens and keys = most tokens of a
//           sequence; block (384); dynamic shared memory 223808 B (attribute to be raised). chunk: a multiple of 64, so
//           that no block works alone, see below. A block: 64 rows (query and head) of one sequence, chunk keys, two
//           stages of 64. Warpgroup 0 makes scores and the left half of the output, 1 the right half, 2 copies (and
//           widens e4m3); probabilities go through the rope columns of the keys, which values do not need.
//           chunk = the c = 64*k that makes ceil(blocks(c)/132) * (k + 5) least, blocks(c) = sum_b ceil(n*Q/64) *
//           ceil((past+n)/c); the smallest of equal ones. Where keys > chunk, mla_decode_attention_combine_bf16 follows
//           with grid (Q, T), block (128), no dynamic shared memory, and P = sum of parts*n*Q over sequences of more
//           than one part, parts = ceil((past+n)/chunk); else partial and logSum may be null
// Numerics  probabilities rounded to bf16, scores and sums in float32: |err| <= 2^-8*|y| + (2^-8 + S*2^-24)*sum(p*|v|);
//           the same bits each time
// Source    DeepSeek-AI 2024 (DeepSeek-V2), §2.1; Dao et al. 2022, algorithm 1; partial results: Dao et al. 2023
#include "common/latent_tile.cuh"
#include "common/softmax.cuh"
#include "common/split.cuh"
#include "common/wgmma.cuh"

constexpr int TILE = LATENT_ROWS; // rows of a block, keys of a stage
constexpr int VALUES = 512;
constexpr int BOXES = LATENT_BOXES;
constexpr int BOX = LATENT_BOX;
constexpr int STAGES = 2;
constexpr int WARPGROUP = 128;
constexpr float LOG2E = 1.4426950408889634f;

struct Shared {
    unsigned char q[BOXES * BOX];
    unsigned char keys[STAGES][BOXES * BOX]; // the last box becomes probabilities once scores are made
    float factor[STAGES][TILE], highest[STAGES][TILE]; // of a row, as its tile's softmax left them
    float sum[2][TILE];
    Barrier qFull, full[STAGES], ready[STAGES], empty[STAGES], finished;
};
static_assert(sizeof(Shared) + 1024 == 223808, "as the header says");

// What a block does: rows and keys of one sequence.
struct Task {
    int64_t start; // token of the sequence's first query
    int heads, row, rows, past, from, to;
    int open; // every row sees the keys from `from` to here

    // Keys that row r sees, counted from key 0 of the sequence.
    __device__ __forceinline__ int visible(int r) const { return past + min(r, rows - 1) / heads + 1; }
};

static __device__ __forceinline__ void copyQueries(
    Shared& shared, const bf16* q, const Task& task, int64_t qToken, int64_t qHead) {
    const int chunk = threadIdx.x % 8;
    for (int r = threadIdx.x % WARPGROUP / 8; r < TILE; r += 16) {
        const int row = task.row + r;
        const bool present = row < task.rows;
        const bf16* from =
            q + (present ? (task.start + row / task.heads) * qToken + row % task.heads * qHead : 0) + chunk * 8;
        for (int b = 0; b < BOXES; b++) {
            copyChunk(sharedAddress(shared.q) + b * BOX + chunkOffset(r, chunk), from + b * BOX_COLUMNS, present);
        }
    }
    shared.qFull.arriveAfterCopies();
}

// Issues s = q * keys^T of one stage.
static __device__ __forceinline__ void issueScores(float (&s)[32], uint32_t q, uint32_t keys) {
    asm volatile("" : "+r"(q)); // else 36 descriptors of q leave the loop and spill
    beginProducts();
#pragma unroll
    for (int k = 0; k < LATENT_WIDTH / 16; k++) {
        const uint32_t at = k / 4 * BOX + k % 4 * 32;
        multiplyN64(s, operand(q + at, 16), operand(keys + at, 16), k > 0);
    }
    commitProducts();
}

// What was summed up so far, times a factor per row; mostly the highest score stays and there is nothing to do.
static __device__ __forceinline__ void rescale(float (&o)[128], const float (&factor)[2]) {
    if (__any_sync(0xFFFFFFFFu, factor[0] != 1 || factor[1] != 1)) {
#pragma unroll
        for (int i = 0; i < 128; i++) {
            o[i] *= factor[i / 2 % 2];
        }
    }
}

// Issues the products of one stage's probabilities with this half of its values.
template <int HALF>
static __device__ __forceinline__ void issueOutput(float (&o)[128], uint32_t keys) {
    beginProducts();
#pragma unroll
    for (int k = 0; k < TILE / 16; k++) {
        multiplyRowsN256(o, operand(keys + (BOXES - 1) * BOX + k * 32, 16),
                         operand(keys + 4 * HALF * BOX + k * 16 * BOX_ROW_BYTES, BOX), true);
    }
    commitProducts();
}

// One half of the output of a block's rows, and the scores of every other tile: tile i is in stage i % 2 and belongs to
// warpgroup i % 2. While one warpgroup makes a softmax the other one multiplies.
template <int HALF>
struct Consumer {
    Shared& shared;
    const Task& task;
    const float scale; // with log2(e)
    const int row;     // this thread's first of the block's 64; the other one is 8 further
    OnlineSoftmax softmax;
    float s[32];
    float o[128];

    __device__ __forceinline__ void issueScores(int parity) {
        shared.full[HALF].wait(parity);
        fenceAsyncProxy();
        ::issueScores(s, sharedAddress(shared.q), sharedAddress(shared.keys[HALF]));
    }

    // Makes probabilities of the scores of the own tile that begins at key `at`, for both warpgroups.
    __device__ __forceinline__ void share(int at, int parity, float (&factor)[2]) {
        if (at + TILE > task.open) {
            hideKeys(s, {min(task.visible(task.row + row), task.to) - at,
                         min(task.visible(task.row + row + 8), task.to) - at});
        }
        softmax.advance(s, scale, factor);
        shared.empty[HALF].wait(parity ^ 1); // long over: everybody has read the last tile's factors
        syncNamed(1 + HALF, WARPGROUP);      // no warp still reads rope columns for scores
        const uint32_t p = sharedAddress(shared.keys[HALF]) + (BOXES - 1) * BOX + threadIdx.x % 4 * 4;
#pragma unroll
        for (int j = 0; j < 8; j++) {
            storeWord(p + chunkOffset(row, j), packBf16(s[4 * j], s[4 * j + 1]));
            storeWord(p + chunkOffset(row + 8, j), packBf16(s[4 * j + 2], s[4 * j + 3]));
        }
#pragma unroll
        for (int half = 0; half < 2; half++) {
            if (threadIdx.x % 4 == 0) {
                shared.factor[HALF][row + 8 * half] = factor[half];
                shared.highest[HALF][row + 8 * half] = softmax.highest[half];
            }
        }
        fenceAsyncProxy();
        shared.ready[HALF].arrive();
        syncNamed(1 + HALF, WARPGROUP);
    }

    // Takes over what the other warpgroup has made of its tile.
    __device__ __forceinline__ void follow(int parity) {
        constexpr int OTHER = 1 - HALF;
        shared.full[OTHER].wait(parity);
        shared.ready[OTHER].wait(parity);
        fenceAsyncProxy();
        float factor[2];
#pragma unroll
        for (int half = 0; half < 2; half++) {
            factor[half] = shared.factor[OTHER][row + 8 * half];
            softmax.highest[half] = shared.highest[OTHER][row + 8 * half];
            softmax.total[half] *= factor[half];
        }
        rescale(o, factor);
        issueOutput<HALF>(o, sharedAddress(shared.keys[OTHER]));
    }

    // Warpgroup 0: an even tile from its scores on, then the odd one that follows.
    __device__ __forceinline__ void leadPair(int at, int parity) {
        issueScores(parity);
        awaitProducts<0>();
        float factor[2];
        share(at, parity, factor);
        rescale(o, factor);
        issueOutput<HALF>(o, sharedAddress(shared.keys[0]));
        awaitProducts<0>();
        shared.empty[0].arrive();
        if (at + TILE < task.to) {
            follow(parity);
            awaitProducts<0>();
            shared.empty[1].arrive();
        }
    }

    // Warpgroup 1: scores of an odd tile, the even one before it, whose products go on beside the softmax, the odd one.
    __device__ __forceinline__ void followPair(int at, int parity) {
        issueScores(parity);
        awaitProducts<0>();
        follow(parity);
        float factor[2];
        share(at + TILE, parity, factor);
        awaitProducts<0>();
        shared.empty[0].arrive();
        rescale(o, factor);
        issueOutput<HALF>(o, sharedAddress(shared.keys[1]));
        awaitProducts<0>();
        shared.empty[1].arrive();
    }

    __device__ __forceinline__ void run() {
#pragma unroll
        for (int i = 0; i < 128; i++) {
            o[i] = 0;
        }
        shared.qFull.wait(0);
        int at = task.from, parity = 0;
        for (; at + TILE < task.to; at += 2 * TILE, parity ^= 1) {
            if (HALF == 0) {
                leadPair(at, parity);
            } else {
                followPair(at, parity);
            }
        }
        if (at < task.to) {
            if (HALF == 0) {
                leadPair(at, parity);
            } else {
                follow(parity);
                awaitProducts<0>();
            }
        }
    }

    // The rows' sums from both warpgroups' tiles; for a part, log2 of them goes to memory.
    __device__ __forceinline__ void finish(float (&inverse)[2], float* logSum) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const float sum = softmax.sum(half);
            if (threadIdx.x % 4 == 0) {
                shared.sum[HALF][row + 8 * half] = sum;
            }
        }
        shared.finished.arrive();
        shared.finished.wait(0);
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const int r = row + 8 * half;
            const float sum = shared.sum[0][r] + shared.sum[1][r];
            inverse[half] = sum > 0 ? 1 / sum : 0;
            if (HALF == 0 && logSum != nullptr && threadIdx.x % 4 == 0 && task.row + r < task.rows) {
                logSum[task.row + r] = sum > 0 ? softmax.highest[half] * scale + log2f(sum) : -INFINITY;
            }
        }
    }

    // This half of the rows, divided by their sums, in pairs of neighbouring columns.
    template <class Store>
    __device__ __forceinline__ void store(const float (&inverse)[2], Store store) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const int r = task.row + row + 8 * half;
            if (r < task.rows) {
#pragma unroll
                for (int j = 0; j < 32; j++) {
                    const int i = 4 * j + 2 * half;
                    store(r, 256 * HALF + 8 * j + threadIdx.x % 4 * 2, o[i] * inverse[half], o[i + 1] * inverse[half]);
                }
            }
        }
    }
};

template <class C>
static __device__ __forceinline__ void decode(bf16* out, float* partial, float* logSum, const bf16* q, const C* cache,
                                              const Paged& paged, int heads, int chunk, int64_t qToken, int64_t qHead,
                                              int64_t outToken, int64_t outHead, float scale) {
    constexpr int COPYING = sizeof(C) == 1 ? 80 : 56; // registers: codes on their way need some
    extern __shared__ unsigned char memory[];
    Shared& shared = *reinterpret_cast<Shared*>(memory + (1024 - sharedAddress(memory) % 1024) % 1024);
    const Split split{paged.starts, paged.past, heads, chunk};
    const int sequence = blockIdx.z;
    const int part = blockIdx.y;
    Task task{paged.starts[sequence], heads, static_cast<int>(blockIdx.x) * TILE, split.queries(sequence) * heads,
              paged.past[sequence], part * chunk, min((part + 1) * chunk, split.keys(sequence)), 0};
    task.open = min(task.visible(task.row), task.to);
    if (task.row >= task.rows || task.from >= task.to) {
        return;
    }
    const bool whole = split.parts(sequence) == 1;
    const int64_t firstPartial = whole ? 0 : split.firstPartial(sequence) + static_cast<int64_t>(part) * task.rows;
    if (threadIdx.x == 0) {
        shared.qFull.init(WARPGROUP);
        shared.finished.init(2 * WARPGROUP);
        for (int i = 0; i < STAGES; i++) {
            shared.full[i].init(WARPGROUP);
            shared.ready[i].init(WARPGROUP);
            shared.empty[i].init(2 * WARPGROUP);
        }
        fenceBarrierInit();
    }
    __syncthreads();
    const int group = threadIdx.x / WARPGROUP;
    if (group == 2) {
        giveUpRegisters<COPYING>();
        copyQueries(shared, q, task, qToken, qHead);
        int stage = 0, parity = 1;
        for (int at = task.from; at < task.to; at += TILE) {
            copyLatent(shared.empty[stage], parity, shared.keys[stage], shared.full[stage], cache, paged, sequence, at,
                       task.to);
            prefetchLatent(cache, paged, sequence, at + STAGES * TILE, task.to);
            stage = (stage + 1) % STAGES;
            parity ^= stage == 0;
        }
        return;
    }
    claimRegisters<(512 - COPYING) / 16 * 8>();
    auto consume = [&](auto&& consumer) {
        float inverse[2];
        consumer.run();
        consumer.finish(inverse, whole ? nullptr : logSum + firstPartial);
        if (whole) {
            consumer.store(inverse, [&](int r, int column, float first, float second) {
                bf16* to = out + (task.start + r / heads) * outToken + r % heads * outHead + column;
                *reinterpret_cast<uint32_t*>(to) = packBf16(first, second);
            });
        } else {
            consumer.store(inverse, [&](int r, int column, float first, float second) {
                float* to = partial + (firstPartial + r) * VALUES + column;
                *reinterpret_cast<float2*>(to) = make_float2(first, second);
            });
        }
    };
    const int row = threadIdx.x % WARPGROUP / 32 * 16 + threadIdx.x % 32 / 4;
    if (group == 0) {
        consume(Consumer<0>{shared, task, scale * LOG2E, row});
    } else {
        consume(Consumer<1>{shared, task, scale * LOG2E, row});
    }
}

#define MLA_DECODE_ATTENTION(NAME, CACHE)                                                                              \
    extern "C" __global__ __launch_bounds__(3 * WARPGROUP, 1) void NAME(                                               \
        bf16* out, float* partial, float* logSum, const bf16* q, const CACHE* cache, const int* starts,                \
        const int* past, const int* pageTable, int B, int tablePages, int pageTokens, int Q, int chunk,                \
        int64_t qToken, int64_t qHead, int64_t outToken, int64_t outHead, float scale) {                               \
        decode(out, partial, logSum, q, cache, Paged{starts, past, pageTable, B, tablePages, pageTokens}, Q, chunk,    \
               qToken, qHead, outToken, outHead, scale);                                                               \
    }

MLA_DECODE_ATTENTION(mla_decode_attention_d576_bf16, bf16)
MLA_DECODE_ATTENTION(mla_decode_attention_d576_e4m3, e4m3)
