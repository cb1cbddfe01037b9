// mla_decode_attention: attention of MLA in its absorbed form against the paged latent cache, rows of 576 = 512 + 64.
//
// Math      score[i,h,s] = scale * (q[i,h,:] . cache[row(s),:]) for s <= past + i; out[i,h,:] =
//           sum_s softmax_s(score[i,h])[s] * cache[row(s),0:512]; i and s counted within a sequence, whose own tokens
//           are in the cache already; scale > 0
// Shapes    q [T,Q,576], cache [pages, pageTokens, 576] bf16, out [T,Q,512], starts [B+1], past [B],
//           pageTable [B, tablePages] int32, partial [P,512], logSum [P] float32; any T, Q, B, past, pageTokens
// Layout    steps in elements between tokens and heads as named, elements of a head side by side; steps of q are
//           multiples of 8, those of out of 2, pointers of 16 bytes; cache and tables are contiguous
// Roofline  flops = 2176*Q*pairs with pairs = sum_b(n*past + n*(n+1)/2), bytes = 2*T*Q*1088 + sum_b(past+n)*1152: about
//           even on H100 at 128 heads and one query, bandwidth-bound at fewer heads
// Launch    grid (ceil(longest*Q/64), ceil(keys/chunk), B), longest = most new tokens and keys = most tokens of a
//           sequence; block (384); dynamic shared memory 223040 B (attribute to be raised). A block: 64 rows (query
//           and head) of one sequence, chunk keys, two stages of 64. Warpgroup 0 makes scores and the left half of the
//           output, 1 the right half, 2 copies; probabilities go through the rope columns of the keys, which values do
//           not need.
//           chunk = the c = 64*k that makes 10 * ceil(blocks(c)/132) * (k + 5) + ceil(keys/c) least, with blocks(c) =
//           sum_b ceil(n*Q/64) * ceil((past+n)/c), the smallest of equal ones: 132 SMs evenly busy, few parts to
//           combine; any multiple of 64 is right. Where keys > chunk, attention_combine follows, and P = sum of
//           parts*n*Q over sequences of more than one part, parts = ceil((past+n)/chunk); else partial and logSum may
//           be null
// Numerics  probabilities rounded to bf16, scores and sums in float32: |err| <= 2^-8*|y| + (2^-8 + S*2^-24)*sum(p*|v|);
//           the same bits each time
// Source    DeepSeek-AI 2024 (DeepSeek-V2), §2.1; Dao et al. 2022, algorithm 1; partial results: Dao et al. 2023
#include "common/attention_products.cuh"
#include "common/latent_tile.cuh"
#include "common/queries.cuh"
#include "common/softmax.cuh"
#include "common/split.cuh"

constexpr int TILE = LATENT_ROWS; // rows of a block, keys of a stage
constexpr int VALUES = 512;
constexpr int BOXES = LATENT_BOXES;
constexpr int BOX = LATENT_BOX;
constexpr int STAGES = 2;
constexpr int WARPGROUP = 128;
constexpr int SCORES = 1; // named barrier of warpgroup 0
constexpr float LOG2E = 1.4426950408889634f;

struct Shared {
    unsigned char q[BOXES * BOX];
    unsigned char keys[STAGES][BOXES * BOX]; // the last box becomes probabilities once scores are made
    float factor[STAGES][TILE];
    float inverse[TILE];
    Barrier qFull, full[STAGES], ready[STAGES], empty[STAGES], finished;
};
static_assert(sizeof(Shared) + 1024 == 223040, "as the header says");

// Issues s = q * keys^T of one stage.
static __device__ __forceinline__ void issueScores(float (&s)[32], uint32_t q, uint32_t keys) {
    const Boxes rows = Boxes::rows(q), columns = Boxes::rows(keys);
    openProducts();
#pragma unroll
    for (int k = 0; k < LATENT_WIDTH / 16; k++) {
        const uint32_t at = k / 4 * BOX + k % 4 * 32;
        multiplyN64<bf16>(s, rows.at(at), columns.at(at), k > 0);
    }
    closeProducts();
}

// Rescales this warpgroup's half of the output and issues its products with one stage of values.
static __device__ __forceinline__ void issueOutput(
    float (&o)[128], Shared& shared, int stage, int half, int row, bool first) {
    const float factor[2] = {shared.factor[stage][row], shared.factor[stage][row + 8]};
    if (!first && __any_sync(0xFFFFFFFFu, factor[0] != 1 || factor[1] != 1)) {
#pragma unroll
        for (int i = 0; i < 128; i++) {
            o[i] *= factor[i / 2 % 2];
        }
    }
    const uint32_t keys = sharedAddress(shared.keys[stage]);
    const Boxes p = Boxes::rows(keys + (BOXES - 1) * BOX);
    const Boxes values = Boxes::columns(keys + 4 * half * BOX, BOX);
    openProducts();
#pragma unroll
    for (int k = 0; k < TILE / 16; k++) {
        multiplyRowsN256(o, p.at(k * 32), values.at(k * 16 * BOX_ROW_BYTES), !first || k > 0);
    }
    closeProducts();
}

// Scores, their softmax and the left half of the output. Leaves the rows' 1/sum and, for a part, their log2(sum).
static __device__ __forceinline__ void score(
    Shared& shared, float (&o)[128], const Task& task, float scale, float* logSum, int row) {
    OnlineSoftmax<0> softmax;
    const float scales[2] = {scale, scale};
    float s[32];
    shared.qFull.wait(0);
    shared.full[0].wait(0);
    showToTensorCores();
    issueScores(s, sharedAddress(shared.q), sharedAddress(shared.keys[0]));
    awaitProducts<0>();
    const int visible[2] = {min(task.visible(task.row + row), task.to), min(task.visible(task.row + row + 8), task.to)};
    int stage = 0, parity = 0;
    for (int at = task.from; at < task.to; at += TILE) {
        float factor[2];
        if (at + TILE > task.open) {
            hideKeys(s, {visible[0] - at, visible[1] - at});
        }
        softmax.advance(s, scales, factor);
        if (at > task.from + TILE) {
            shared.empty[stage].wait(parity ^ 1); // long over: the right half has read the factors of two tiles ago
        }
        syncNamed(SCORES, WARPGROUP); // no warp still reads rope columns for scores
        const uint32_t p = sharedAddress(shared.keys[stage]) + (BOXES - 1) * BOX + threadIdx.x % 4 * 4;
#pragma unroll
        for (int j = 0; j < 8; j++) {
            storeWord(p + swizzledChunk(row, j), packBf16(s[4 * j], s[4 * j + 1]));
            storeWord(p + swizzledChunk(row + 8, j), packBf16(s[4 * j + 2], s[4 * j + 3]));
        }
        if (threadIdx.x % 4 == 0) {
            shared.factor[stage][row] = factor[0];
            shared.factor[stage][row + 8] = factor[1];
        }
        showToTensorCores();
        shared.ready[stage].arrive();
        syncNamed(SCORES, WARPGROUP);
        issueOutput(o, shared, stage, 0, row, at == task.from);
        const int next = (stage + 1) % STAGES;
        const int nextParity = parity ^ (next == 0);
        awaitProducts<0>(); // before the next keys are awaited: theirs are copied sooner so
        shared.empty[stage].arrive();
        if (at + TILE < task.to) {
            shared.full[next].wait(nextParity);
            showToTensorCores();
            issueScores(s, sharedAddress(shared.q), sharedAddress(shared.keys[next]));
            awaitProducts<0>();
        }
        stage = next;
        parity = nextParity;
    }
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const float sum = softmax.sum(half);
        const int r = task.row + row + 8 * half;
        if (threadIdx.x % 4 == 0) {
            shared.inverse[row + 8 * half] = sum == 0 ? 0 : 1 / sum; // a part may hide all its keys from a row
            if (logSum != nullptr && r < task.rows) {
                logSum[r] = softmax.logSum(half, sum);
            }
        }
    }
}

// The right half of the output.
static __device__ __forceinline__ void follow(Shared& shared, float (&o)[128], const Task& task, int row) {
    int stage = 0, parity = 0;
    for (int at = task.from; at < task.to; at += TILE) {
        shared.full[stage].wait(parity);
        shared.ready[stage].wait(parity);
        showToTensorCores();
        issueOutput(o, shared, stage, 1, row, at == task.from);
        awaitProducts<0>();
        shared.empty[stage].arrive();
        stage = (stage + 1) % STAGES;
        parity ^= stage == 0;
    }
}

// This warpgroup's half of the rows, divided by their sums, as bf16 or as float32.
template <class Store>
static __device__ __forceinline__ void store(
    const Shared& shared, const float (&o)[128], const Task& task, int half, int row, Store store) {
#pragma unroll
    for (int h = 0; h < 2; h++) {
        const int r = row + 8 * h;
        if (task.row + r < task.rows) {
            const float inverse = shared.inverse[r];
#pragma unroll
            for (int j = 0; j < 32; j++) {
                const int i = 4 * j + 2 * h;
                store(task.row + r, 256 * half + 8 * j + threadIdx.x % 4 * 2, o[i] * inverse, o[i + 1] * inverse);
            }
        }
    }
}


extern "C" __global__ __launch_bounds__(3 * WARPGROUP, 1)
void mla_decode_attention_d576_bf16(bf16* out, float* partial, float* logSum, const bf16* q, const bf16* cache,
                                    const int* starts, const int* past, const int* pageTable, int B, int tablePages,
                                    int pageTokens, int Q, int chunk, int64_t qToken, int64_t qHead, int64_t outToken,
                                    int64_t outHead, float scale) {
    extern __shared__ unsigned char memory[];
    Shared& shared = *reinterpret_cast<Shared*>(memory + (1024 - sharedAddress(memory) % 1024) % 1024);
    const Split split{starts, past, Q, chunk};
    const Paged paged{starts, past, pageTable, B, tablePages, pageTokens};
    const int sequence = blockIdx.z;
    const int part = blockIdx.y;
    Task task{starts[sequence], Q, static_cast<int>(blockIdx.x) * TILE, split.queries(sequence) * Q,
              past[sequence], part * chunk, min((part + 1) * chunk, split.keys(sequence)), 0};
    task.open = min(task.visible(task.row), task.to);
    if (task.row >= task.rows || task.from >= task.to) {
        return;
    }
    const bool whole = split.parts(sequence) == 1;
    const int64_t firstPartial = whole ? 0 : split.firstPartial(sequence) + static_cast<int64_t>(part) * task.rows;
    if (threadIdx.x == 0) {
        shared.qFull.init(WARPGROUP);
        shared.finished.init(WARPGROUP);
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
        giveUpRegisters<88>();
        QueryRows{q + task.start * qToken, qToken, qHead, Q, task.row, task.rows}.copy(
            sharedAddress(shared.q), 0, BOXES);
        shared.qFull.arriveAfterCopies();
        int stage = 0, parity = 1;
        for (int at = task.from; at < task.to; at += TILE) {
            copyLatent(shared.empty[stage], parity, shared.keys[stage], shared.full[stage], cache, paged, sequence, at,
                       task.to);
            stage = (stage + 1) % STAGES;
            parity ^= stage == 0;
        }
    } else {
        claimRegisters<208>();
        const int row = threadIdx.x % WARPGROUP / 32 * 16 + threadIdx.x % 32 / 4;
        float o[128];
        if (group == 0) {
            score(shared, o, task, scale * LOG2E, whole ? nullptr : logSum + firstPartial, row);
            shared.finished.arrive();
        } else {
            follow(shared, o, task, row);
        }
        shared.finished.wait(0);
        if (whole) {
            store(shared, o, task, group, row, [&](int r, int column, float first, float second) {
                bf16* to = out + (task.start + r / Q) * outToken + r % Q * outHead + column;
                *reinterpret_cast<uint32_t*>(to) = packBf16(first, second);
            });
        } else {
            store(shared, o, task, group, row, [&](int r, int column, float first, float second) {
                float* to = partial + (firstPartial + r) * VALUES + column;
                *reinterpret_cast<float2*>(to) = make_float2(first, second);
            });
        }
    }
}
