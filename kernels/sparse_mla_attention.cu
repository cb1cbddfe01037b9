// sparse_mla_attention: attention of MLA in its absorbed form over chosen rows of the latent cache, 576 = 512 + 64 wide.
//
// Math      score[t,h,j] = scale * (q[t,h,:] . cache[rows[t,j],:]) for j < n = min(k, positions[t] + 1); out[t,h,:] =
//           sum_j softmax_j(score[t,h])[j] * cache[rows[t,j],0:512]; scale > 0
// Shapes    q [T,Q,576], cache [pages*pageTokens, 576] bf16 or [.., 656] bytes packed as latent_append_packed.cu tells,
//           rows [T,k], positions [T] int32, out [T,Q,512], partial [P,T*Q,512], logSum [P,T*Q] float32; any T, Q, k
// Layout    steps in elements between tokens and heads as named, elements of a head side by side; steps of q are
//           multiples of 8, those of out of 2, pointers of 16 bytes; the rest is contiguous
// Roofline  flops = 2176*Q*sum(n), bytes = 2*T*Q*1088 + sum(n)*(1152 or 656): compute-bound from about 128 heads on
// Launch    grid (T*ceil(Q/64), P), block (384); dynamic shared memory 223040 B (attribute to be raised). A block: 64
//           heads of one token and `chunk` of its rows, a multiple of 64, P = ceil(k/chunk); two stages of 64 rows.
//           Warpgroup 0 makes scores and the left half of the output, 1 the right half, 2 gathers; probabilities go
//           through the rope columns of the keys, which values do not need. packed_pair, for even ceil(Q/64): a cluster
//           of two blocks, each widens half of the rows for both. Where P > 1, sparse_mla_attention_combine follows;
//           else partial and logSum may be null
// Numerics  probabilities rounded to bf16, packed values, too; scores and sums in float32; |err| <= 2^-8*|y| + (2^-8 +
//           k*2^-24)*sum(p*|v|); the same bits each time
// Source    DeepSeek-AI 2025 (DeepSeek-V3.2-Exp), section 2.2; Dao et al. 2022, algorithm 1
#include "common/gathered_tile.cuh"
#include "common/queries.cuh"
#include "common/softmax.cuh"

constexpr int TILE = LATENT_ROWS;
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
    float s[32];
    shared.qFull.wait(0);
    shared.full[0].wait(0);
    showToTensorCores();
    issueScores(s, sharedAddress(shared.q), sharedAddress(shared.keys[0]));
    awaitProducts<0>();
    int stage = 0, parity = 0;
    for (int at = chosen.from; at < chosen.to; at += TILE) {
        float factor[2];
        if (at + TILE > chosen.to) {
            hideKeys(s, {chosen.to - at, chosen.to - at});
        }
        softmax.advance(s, scales, factor);
        if (at > chosen.from + TILE) {
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
        issueOutput(o, shared, stage, 0, row, at == chosen.from);
        const int next = (stage + 1) % STAGES;
        const int nextParity = parity ^ (next == 0);
        awaitProducts<0>(); // before the next keys are awaited: theirs are gathered sooner so
        release<PAIR>(shared.empty[stage]);
        if (at + TILE < chosen.to) {
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
    int stage = 0, parity = 0;
    for (int at = chosen.from; at < chosen.to; at += TILE) {
        shared.full[stage].wait(parity);
        shared.ready[stage].wait(parity);
        showToTensorCores();
        issueOutput(o, shared, stage, 1, row, at == chosen.from);
        awaitProducts<0>();
        release<PAIR>(shared.empty[stage]);
        stage = (stage + 1) % STAGES;
        parity ^= stage == 0;
    }
}

// This warpgroup's half of the block's heads, divided by their sums, as bf16 or as float32.
template <class Store>
static __device__ __forceinline__ void store(
    const Shared& shared, const float (&o)[128], int half, int row, int heads, Store store) {
#pragma unroll
    for (int h = 0; h < 2; h++) {
        const int r = row + 8 * h;
        if (r < heads) {
            const float inverse = shared.inverse[r];
#pragma unroll
            for (int j = 0; j < 32; j++) {
                const int i = 4 * j + 2 * h;
                store(r, 256 * half + 8 * j + threadIdx.x % 4 * 2, o[i] * inverse, o[i + 1] * inverse);
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
        for (int i = 0; i < STAGES; i++) {
            shared.full[i].init(Gather<C, PAIR>::ARRIVALS);
            shared.ready[i].init(WARPGROUP);
            shared.empty[i].init((PAIR ? 2 : 1) * 2 * WARPGROUP / 32);
        }
        fenceBarrierInit();
    }
    if constexpr (PAIR) {
        arriveAtCluster();
        awaitCluster();
    } else {
        __syncthreads();
    }
    if (group == 2) {
        giveUpRegisters<88>();
        QueryRows{q + t * qToken, qToken, qHead, Q, firstHead, Q}.copy(sharedAddress(shared.q), 0, BOXES);
        shared.qFull.arriveAfterCopies();
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
        claimRegisters<200>();
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
            store(shared, o, group, row, heads, [&](int r, int column, float first, float second) {
                bf16* to = out + t * outToken + (firstHead + r) * outHead + column;
                *reinterpret_cast<uint32_t*>(to) = packBf16(first, second);
            });
        } else {
            store(shared, o, group, row, heads, [&](int r, int column, float first, float second) {
                *reinterpret_cast<float2*>(partial + (firstRow + r) * VALUES + column) = make_float2(first, second);
            });
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
