// mla_prefill_attention: causal attention of MLA in its expanded form, head dimensions 192 = 128 + 64 and 128.
//
// Math      score[i,s] = scale * (q[i,h,0:128] . kv[s,h,0:128] + q[i,h,128:192] . kRope[s,:]) for s <= past + i;
//           out[i,h,:] = sum_s softmax_s(score[i,:])[s] * kv[s,h,128:256], i and s counted within a sequence; scale > 0
// Shapes    q [T,Q,192], kv [S,Q,256], kRope [S,64], out [T,Q,128], starts [B+1], past [B] int32; S = T + sum(past);
//           sequences one after the other, in kv and kRope past tokens first; any T, Q, B, past
// Layout    steps in elements between tokens and heads as named, elements of a head side by side; steps of q, kv and
//           kRope are multiples of 8 and their pointers of 16 bytes, those of out multiples of 2 and of 4 bytes
// Roofline  flops = 640*Q*pairs with pairs = sum_b(n*past + n*(n+1)/2), bytes = 2*(T*Q*320 + S*(Q*256 + 64)):
//           compute-bound above about 500 tokens
// Launch    grid (ceil(longest/128), Q, B), longest = most new tokens of a sequence; block (384); dynamic shared memory
//           214088 B (attribute to be raised). A block: 128 queries of one head, the longest first. Warpgroups 0 and 1
//           multiply for 64 queries each, warpgroup 2 copies; two stages of 128 keys, last ones first. Scores of a tile
//           are multiplied while the tile before meets its values
// Numerics  probabilities rounded to bf16, scores and sums in float32: |err| <= 2^-8*|y| + (2^-8 + n*2^-24)*sum(p*|v|)
// Source    DeepSeek-AI 2024 (DeepSeek-V2), §2.1; Dao et al. 2022, algorithm 1; Shah et al. 2024, §3.2
#include "common/attention_products.cuh"
#include "common/barrier.cuh"
#include "common/paged.cuh"
#include "common/rows.cuh"
#include "common/softmax.cuh"

constexpr int TILE = 128; // queries of a block, keys of a stage
constexpr int BOX = TILE * BOX_ROW_BYTES;
constexpr int STAGES = 2;
constexpr int WARPGROUP = 128;
constexpr float LOG2E = 1.4426950408889634f;

struct Shared {
    unsigned char q[3 * BOX];
    unsigned char keys[STAGES][3 * BOX];
    unsigned char values[STAGES][2 * BOX];
    Barrier qFull, keysFull[STAGES], keysEmpty[STAGES], valuesFull[STAGES], valuesEmpty[STAGES];
};
static_assert(sizeof(Shared) + 1024 == 214088, "as the header says");

// Rows `first` .. `first`+127 of a matrix of 64 columns into a box; zeros from row `rows` on.
static __device__ __forceinline__ void copyBox(
    unsigned char* box, const bf16* from, int64_t step, int first, int rows) {
    const int chunk = threadIdx.x % 8;
    const int row = threadIdx.x % WARPGROUP / 8;
    const uint32_t to = sharedAddress(box) + swizzledChunk(row, chunk); // 16 rows further the swizzle is the same
    const bf16* at = from + (first + row) * step + chunk * 8;
    const int present = rows - first - row;
#pragma unroll 4
    for (int i = 0; i < TILE; i += 16) {
        copyAsync16(to + i * BOX_ROW_BYTES, i < present ? at : from, i < present);
        at += 16 * step;
    }
}

static __device__ __forceinline__ void produce(Shared& shared, const bf16* q, int64_t qToken, int first, int queries,
                                               const bf16* kv, int64_t kvToken, const bf16* kRope, int64_t ropeToken,
                                               int keys) {
    for (int b = 0; b < 3; b++) {
        copyBox(shared.q + b * BOX, q + b * BOX_COLUMNS, qToken, first, queries);
    }
    shared.qFull.arriveAfterCopies();
    int stage = 0, parity = 1;
    for (int at = (keys - 1) / TILE * TILE; at >= 0; at -= TILE) {
        shared.keysEmpty[stage].wait(parity);
        copyBox(shared.keys[stage], kv, kvToken, at, keys);
        copyBox(shared.keys[stage] + BOX, kv + BOX_COLUMNS, kvToken, at, keys);
        copyBox(shared.keys[stage] + 2 * BOX, kRope, ropeToken, at, keys);
        shared.keysFull[stage].arriveAfterCopies();
        shared.valuesEmpty[stage].wait(parity);
        copyBox(shared.values[stage], kv + 2 * BOX_COLUMNS, kvToken, at, keys);
        copyBox(shared.values[stage] + BOX, kv + 3 * BOX_COLUMNS, kvToken, at, keys);
        shared.valuesFull[stage].arriveAfterCopies();
        stage = (stage + 1) % STAGES;
        parity ^= stage == 0;
    }
}

// Issues s = q * keys^T of one stage for the warpgroup's 64 queries.
static __device__ __forceinline__ void issueScores(float (&s)[64], uint32_t q, uint32_t keys) {
    openProducts();
#pragma unroll
    for (int k = 0; k < 12; k++) {
        const uint32_t at = k / 4 * BOX + k % 4 * 32;
        multiplyN128(s, swizzledTile(q + at), swizzledTile(keys + at), k > 0);
    }
    closeProducts();
}

// Issues o += p * values of one stage.
static __device__ __forceinline__ void issueOutput(float (&o)[64], const uint32_t (&p)[8][4], uint32_t values) {
    openProducts();
#pragma unroll
    for (int k = 0; k < 8; k++) {
        multiplyRowsN128(o, p[k], swizzledRows(values + k * 16 * BOX_ROW_BYTES, BOX));
    }
    closeProducts();
}

static __device__ __forceinline__ void pack(uint32_t (&p)[8][4], const float (&s)[64]) {
#pragma unroll
    for (int i = 0; i < 32; i++) {
        p[i / 4][i % 4] = packBf16(s[2 * i], s[2 * i + 1]);
    }
}

static __device__ __forceinline__ void consume(Shared& shared, bf16* out, int64_t outToken, int first, int queries,
                                               int past, int keys, float scale) {
    const int group = threadIdx.x / WARPGROUP;
    const int row = first + 64 * group + threadIdx.x % WARPGROUP / 32 * 16 + threadIdx.x % 32 / 4;
    const uint32_t q = sharedAddress(shared.q) + 64 * group * BOX_ROW_BYTES;
    OnlineSoftmax softmax;
    float s[64], o[64], factor[2];
    uint32_t p[8][4];
    auto normalise = [&](int at) {
        if (at + TILE > past + first + 64 * group + 1) {
            hideKeys(s, {past + row + 1 - at, past + row + 9 - at});
        }
        softmax.advance(s, scale, factor);
    };
    shared.qFull.wait(0);
    shared.keysFull[0].wait(0);
    showToTensorCores();
    issueScores(s, q, sharedAddress(shared.keys[0]));
    awaitProducts<0>();
    shared.keysEmpty[0].arrive();
    int at = (keys - 1) / TILE * TILE;
    normalise(at);
    pack(p, s);
#pragma unroll
    for (int i = 0; i < 64; i++) {
        o[i] = 0;
    }
    int stage = 0, parity = 0;
    for (at -= TILE; at >= 0; at -= TILE) {
        const int next = (stage + 1) % STAGES;
        shared.keysFull[next].wait(parity ^ (next == 0));
        shared.valuesFull[stage].wait(parity);
        showToTensorCores();
        issueScores(s, q, sharedAddress(shared.keys[next]));
        issueOutput(o, p, sharedAddress(shared.values[stage]));
        awaitProducts<1>(); // the scores; the output's products go on beside the softmax
        shared.keysEmpty[next].arrive();
        normalise(at);
        awaitProducts<0>();
        shared.valuesEmpty[stage].arrive();
#pragma unroll
        for (int i = 0; i < 64; i++) {
            o[i] *= factor[i / 2 % 2];
        }
        pack(p, s);
        stage = next;
        parity ^= next == 0;
    }
    shared.valuesFull[stage].wait(parity);
    showToTensorCores();
    issueOutput(o, p, sharedAddress(shared.values[stage]));
    awaitProducts<0>();
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const float inverse = 1 / softmax.sum(half);
        if (row + 8 * half < queries) {
            bf16* to = out + (row + 8 * half) * outToken + 2 * (threadIdx.x % 4);
#pragma unroll
            for (int j = 0; j < 16; j++) {
                const int i = 4 * j + 2 * half;
                *reinterpret_cast<uint32_t*>(to + 8 * j) = packBf16(o[i] * inverse, o[i + 1] * inverse);
            }
        }
    }
}

extern "C" __global__ __launch_bounds__(3 * WARPGROUP, 1)
void mla_prefill_attention_d192_bf16(bf16* out, const bf16* q, const bf16* kv, const bf16* kRope, const int* starts,
                                     const int* past, int64_t qToken, int64_t qHead, int64_t kvToken, int64_t kvHead,
                                     int64_t ropeToken, int64_t outToken, int64_t outHead, float scale) {
    extern __shared__ unsigned char memory[];
    Shared& shared = *reinterpret_cast<Shared*>(memory + (1024 - sharedAddress(memory) % 1024) % 1024);
    const int64_t head = blockIdx.y;
    const int sequence = blockIdx.z;
    const int64_t start = starts[sequence];
    const int queries = starts[sequence + 1] - starts[sequence];
    const int first = (gridDim.x - 1 - blockIdx.x) * TILE; // the longest rows first, so that short ones fill the gaps
    if (first >= queries) {
        return;
    }
    const int before = past[sequence];
    const int keys = before + min(queries, first + TILE);
    const int64_t context = contextStart(starts, past, sequence);
    if (threadIdx.x == 0) {
        shared.qFull.init(WARPGROUP);
        for (int i = 0; i < STAGES; i++) {
            shared.keysFull[i].init(WARPGROUP);
            shared.valuesFull[i].init(WARPGROUP);
            shared.keysEmpty[i].init(2 * WARPGROUP);
            shared.valuesEmpty[i].init(2 * WARPGROUP);
        }
        fenceBarrierInit();
    }
    __syncthreads();
    if (threadIdx.x >= 2 * WARPGROUP) {
        giveUpRegisters<40>();
        produce(shared, q + start * qToken + head * qHead, qToken, first, queries,
                kv + context * kvToken + head * kvHead, kvToken, kRope + context * ropeToken, ropeToken, keys);
    } else {
        claimRegisters<232>();
        consume(shared, out + start * outToken + head * outHead, outToken, first, queries, before, keys,
                scale * LOG2E);
    }
}
