// sparse_mla_attention: attention of MLA in its absorbed form over chosen rows of the latent cache, 576 = 512 + 64 wide.
//
// Math      score[t,h,j] = scale * (q[t,h,:] . cache[rows[t,j],:]) for j < n = min(k, positions[t] + 1); out[t,h,:] =
//           sum_j softmax_j(score[t,h])[j] * cache[rows[t,j],0:512]; scale > 0
// Shapes    q [T,Q,576], cache [pages*pageTokens, 576] bf16 or [.., 656] bytes packed as latent_append_packed.cu tells,
//           rows [T,k], positions [T] int32, out [T,Q,512], partial [P,T*Q,512], logSum [P,T*Q] float32; any T, Q, k
// Layout    steps in elements between tokens and heads as named, elements of a head side by side; steps of q and out are
//           multiples of 8, pointers of 16 bytes; the rest is contiguous
// Roofline  flops = 2176*Q*sum(n), bytes = 2*T*Q*1088 + sum(n)*(1152 or 656): compute-bound from about 128 heads on
// Launch    grid (T*ceil(Q/64), P), block (384); dynamic shared memory 230976 B (attribute to be raised). A block: 64
//           heads of one token and `chunk` of its rows, a multiple of 64, P = ceil(k/chunk); two stages of 64 rows.
//           Warpgroup 0 makes scores and the left half of the output, probabilities in registers, which go to 1 through
//           shared memory; 1 copies queries and makes the right half, 2 gathers. packed_pair, for even ceil(Q/64): a
//           cluster of two blocks, each widens half of the rows for both. Where P > 1, sparse_mla_attention_combine
//           follows; else partial and logSum may be null
// Numerics  probabilities rounded to bf16, packed values, too; scores and sums in float32; |err| <= 2^-8*|y| + (2^-8 +
//           k*2^-24)*sum(p*|v|); the same bits each time
// Source    DeepSeek-AI 2025 (DeepSeek-V3.2-Exp), section 2.2; Dao et al. 2022, algorithm 1
#include "common/gathered_tile.cuh"
#include "common/quad.cuh"
#include "common/queries.cuh"
#include "common/softmax.cuh"
#include "common/value_products.cuh"

constexpr int TILE = LATENT_ROWS;
constexpr int VALUES = 512;
constexpr int BOXES = LATENT_BOXES;
constexpr int BOX = LATENT_BOX;
constexpr int STAGES = 2;
constexpr int WARPGROUP = 128;
constexpr float LOG2E = 1.4426950408889634f;

struct Shared {
    unsigned char q[BOXES * BOX];
    unsigned char keys[STAGES][BOXES * BOX];
    unsigned char p[BOX]; // probabilities of a tile, and the factors of its rows, for the right half
    float factor[TILE];
    float inverse[TILE];
    Barrier qFull, full[STAGES], empty[STAGES], ready, taken, finished;
};
static_assert(sizeof(Shared) + 1024 == 230976, "as the header says");

// Chosen rows of a block's token: all it attends lie in front.
struct Chosen {
    int from, to;
};

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

static __device__ __forceinline__ void rescale(float (&o)[128], const float (&factor)[2]) {
    if (__any_sync(0xFFFFFFFFu, factor[0] != 1 || factor[1] != 1)) {
#pragma unroll
        for (int i = 0; i < 128; i++) {
            o[i] *= factor[i / 2 % 2];
        }
    }
}

// Issues the products of probabilities, 16 keys at a time as `p(k)` has them, with a half of one stage's values.
template <class P>
static __device__ __forceinline__ void issueOutput(float (&o)[128], uint32_t keys, int half, bool first, P p) {
    const Boxes values = Boxes::columns(keys + 4 * half * BOX, BOX);
    openProducts();
#pragma unroll
    for (int k = 0; k < TILE / 16; k++) {
        multiplyRowsN256(o, p(k), values.at(k * 16 * BOX_ROW_BYTES), !first || k > 0);
    }
    closeProducts();
}

// A warp no longer needs a stage: whoever fills it may know, in both blocks where these fill each other's.
template <bool PAIR>
static __device__ __forceinline__ void release(Barrier& empty) {
    __syncwarp();
    if (threadIdx.x % 32 == 0) {
        empty.arrive();
        if constexpr (PAIR) {
            arriveInCluster(addressIn(sharedAddress(&empty.state), blockIdx.x % 2 ^ 1));
        }
    }
}

// Scores, their softmax and the left half of the output. Leaves the rows' 1/sum and, for a part, their log2(sum).
template <bool PAIR>
static __device__ __forceinline__ void score(
    Shared& shared, float (&o)[128], const Chosen& chosen, float scale, float* logSum, int heads, int row) {
    OnlineSoftmax<0> softmax;
    const float scales[2] = {scale, scale};
    const uint32_t q = sharedAddress(shared.q);
    float s[32];
    shared.qFull.wait(0);
    shared.full[0].wait(0);
    showToTensorCores();
    issueScores(s, q, sharedAddress(shared.keys[0]));
    awaitProducts<0>();
    int stage = 0, parity = 0, taken = 1;
    for (int at = chosen.from; at < chosen.to; at += TILE) {
        const bool first = at == chosen.from;
        float factor[2];
        if (at + TILE > chosen.to) {
            hideKeys(s, {chosen.to - at, chosen.to - at});
        }
        softmax.advance(s, scales, factor);
        uint32_t p[TILE / 16][4];
#pragma unroll
        for (int j = 0; j < 8; j++) {
            p[j / 2][j % 2 * 2] = packBf16(s[4 * j], s[4 * j + 1]);
            p[j / 2][j % 2 * 2 + 1] = packBf16(s[4 * j + 2], s[4 * j + 3]);
        }
        shared.taken.wait(taken); // long over: the right half's products with the tile before went beside these scores
        taken ^= 1;
        const uint32_t to = sharedAddress(shared.p) + threadIdx.x % 4 * 4;
#pragma unroll
        for (int j = 0; j < 8; j++) {
            storeWord(to + swizzledChunk(row, j), p[j / 2][j % 2 * 2]);
            storeWord(to + swizzledChunk(row + 8, j), p[j / 2][j % 2 * 2 + 1]);
        }
        if (threadIdx.x % 4 == 0) {
            shared.factor[row] = factor[0];
            shared.factor[row + 8] = factor[1];
        }
        showToTensorCores();
        shared.ready.arrive();
        if (!first) {
            rescale(o, factor);
        }
        issueOutput(o, sharedAddress(shared.keys[stage]), 0, first, [&](int k) -> const uint32_t (&)[4] { return p[k]; });
        const int next = (stage + 1) % STAGES;
        const int nextParity = parity ^ (next == 0);
        awaitProducts<0>(); // before the next keys are awaited: theirs are gathered sooner so
        release<PAIR>(shared.empty[stage]);
        if (at + TILE < chosen.to) {
            shared.full[next].wait(nextParity);
            showToTensorCores();
            issueScores(s, q, sharedAddress(shared.keys[next]));
            awaitProducts<0>();
        }
        stage = next;
        parity = nextParity;
    }
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const float sum = softmax.sum(half);
        const int r = row + 8 * half;
        if (threadIdx.x % 4 == 0) {
            shared.inverse[r] = 1 / sum;
            if (logSum != nullptr && r < heads) {
                logSum[r] = softmax.logSum(half, sum);
            }
        }
    }
}

// The right half of the output.
template <bool PAIR>
static __device__ __forceinline__ void follow(Shared& shared, float (&o)[128], const Chosen& chosen, int row) {
    int stage = 0, parity = 0, ready = 0;
    for (int at = chosen.from; at < chosen.to; at += TILE) {
        const bool first = at == chosen.from;
        shared.full[stage].wait(parity);
        shared.ready.wait(ready);
        ready ^= 1;
        showToTensorCores();
        if (!first) {
            rescale(o, {shared.factor[row], shared.factor[row + 8]});
        }
        const Boxes p = Boxes::rows(sharedAddress(shared.p));
        issueOutput(o, sharedAddress(shared.keys[stage]), 1, first, [&](int k) { return p.at(k * 32); });
        awaitProducts<0>();
        release<PAIR>(shared.empty[stage]);
        if (threadIdx.x % 32 == 0) {
            shared.taken.arrive();
        }
        stage = (stage + 1) % STAGES;
        parity ^= stage == 0;
    }
}

// This warpgroup's half of the block's heads, divided by their sums, as bf16: a quad's lanes store 64 bytes of a row.
static __device__ __forceinline__ void store(
    const Shared& shared, const float (&o)[128], int half, int row, int heads, bf16* out, int64_t outHead) {
#pragma unroll
    for (int h = 0; h < 2; h++) {
        const int r = row + 8 * h;
        const float inverse = shared.inverse[r];
        bf16* to = out + r * outHead + 256 * half + threadIdx.x % 4 * 8;
#pragma unroll
        for (int j = 0; j < 8; j++) {
            uint32_t word[4];
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const int at = 16 * j + 4 * i + 2 * h;
                word[i] = packBf16(o[at] * inverse, o[at + 1] * inverse);
            }
            gatherChunk(word);
            if (r < heads) {
                *reinterpret_cast<uint4*>(to + 32 * j) = make_uint4(word[0], word[1], word[2], word[3]);
            }
        }
    }
}

// The same as float32.
static __device__ __forceinline__ void storePartial(
    const Shared& shared, const float (&o)[128], int half, int row, int heads, float* partial) {
#pragma unroll
    for (int h = 0; h < 2; h++) {
        const int r = row + 8 * h;
        if (r < heads) {
            const float inverse = shared.inverse[r];
            float* to = partial + r * VALUES + 256 * half + threadIdx.x % 4 * 2;
#pragma unroll
            for (int j = 0; j < 32; j++) {
                const int i = 4 * j + 2 * h;
                *reinterpret_cast<float2*>(to + 8 * j) = make_float2(o[i] * inverse, o[i + 1] * inverse);
            }
        }
    }
}

template <class C, bool PAIR>
static __device__ __forceinline__ void attend(bf16* out, float* partial, float* logSum, const bf16* q, const C* cache,
                                              const int* rows, const int* positions, int T, int Q, int k, int chunk,
                                              int64_t qToken, int64_t qHead, int64_t outToken, int64_t outHead,
                                              float scale) {
    extern __shared__ unsigned char memory[];
    Shared& shared = *reinterpret_cast<Shared*>(memory + (1024 - sharedAddress(memory) % 1024) % 1024);
    const int blocks = (Q + TILE - 1) / TILE; // of a token
    const int64_t t = blockIdx.x / blocks;
    const int firstHead = blockIdx.x % blocks * TILE;
    const int heads = min(Q - firstHead, TILE);
    const int part = blockIdx.y;
    const int group = threadIdx.x / WARPGROUP;
    const int listed = min((part + 1) * chunk, k);
    Gather<C, PAIR> gather{cache, rows + t * k};
    if (group == 2) {
        gather.open(part * chunk, listed); // indices and the position are on their way at once
    }
    const Chosen chosen{part * chunk, min(listed, positions[t] + 1)};
    const bool whole = gridDim.y == 1;
    const int64_t firstRow = (static_cast<int64_t>(part) * T + t) * Q + firstHead; // of partial results
    if (chosen.from >= chosen.to) {
        if (threadIdx.x < heads) {
            logSum[firstRow + threadIdx.x] = -INFINITY; // nothing to combine
        }
        return;
    }
    if (threadIdx.x == 0) {
        shared.qFull.init(WARPGROUP);
        shared.finished.init(WARPGROUP);
        shared.ready.init(WARPGROUP);
        shared.taken.init(WARPGROUP / 32);
        for (int i = 0; i < STAGES; i++) {
            shared.full[i].init(Gather<C, PAIR>::ARRIVALS);
            shared.empty[i].init((PAIR ? 2 : 1) * 2 * WARPGROUP / 32);
        }
        fenceBarrierInit();
    }
    if constexpr (PAIR) {
        arriveWithBarriers();
        awaitCluster();
    } else {
        __syncthreads();
    }
    if (group == 2) {
        giveUpRegisters<88>();
        int stage = 0, parity = 1;
        gather.begin(chosen.from, chosen.to);
        for (int at = chosen.from; at < chosen.to; at += TILE) {
            gather.tile(shared.empty[stage], parity, shared.keys[stage], shared.full[stage], at);
            stage = (stage + 1) % STAGES;
            parity ^= stage == 0;
        }
        gather.end();
        if constexpr (PAIR) {
            arriveAtCluster();
        }
    } else {
        if (group == 1) {
            QueryRows{q + t * qToken, qToken, qHead, Q, firstHead, Q}.copy(sharedAddress(shared.q), 0, BOXES);
            shared.qFull.arriveAfterCopies();
        }
        claimRegisters<208>();
        const int row = threadIdx.x % WARPGROUP / 32 * 16 + threadIdx.x % 32 / 4;
        float o[128];
        if (group == 0) {
            score<PAIR>(shared, o, chosen, scale * LOG2E, whole ? nullptr : logSum + firstRow, heads, row);
            shared.finished.arrive();
        } else {
            follow<PAIR>(shared, o, chosen, row);
        }
        if constexpr (PAIR) {
            arriveAtCluster();
        }
        shared.finished.wait(0);
        if (whole) {
            store(shared, o, group, row, heads, out + t * outToken + firstHead * outHead, outHead);
        } else {
            storePartial(shared, o, group, row, heads, partial + firstRow * VALUES);
        }
    }
    if constexpr (PAIR) {
        awaitCluster(); // the other block copies from here and arrives here until its last tile
    }
}

#define SPARSE_MLA_ATTENTION(NAME, CACHE, PAIR, CLUSTER)                                                               \
    extern "C" __global__ CLUSTER __launch_bounds__(3 * WARPGROUP, 1) void NAME(                                       \
        bf16* out, float* partial, float* logSum, const bf16* q, const CACHE* cache, const int* rows,                  \
        const int* positions, int T, int Q, int k, int chunk, int64_t qToken, int64_t qHead, int64_t outToken,         \
        int64_t outHead, float scale) {                                                                                \
        attend<CACHE, PAIR>(out, partial, logSum, q, cache, rows, positions, T, Q, k, chunk, qToken, qHead, outToken,  \
                            outHead, scale);                                                                           \
    }

SPARSE_MLA_ATTENTION(sparse_mla_attention_d576_bf16, bf16, false, )
SPARSE_MLA_ATTENTION(sparse_mla_attention_d576_packed, unsigned char, false, )
SPARSE_MLA_ATTENTION(sparse_mla_attention_d576_packed_pair, unsigned char, true, __cluster_dims__(2, 1, 1))
