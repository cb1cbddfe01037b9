// delta_rule_step: the gated delta rule over one token of each sequence: decode.
//
// Math      as delta_rule_update; S^T k and S^T q are taken of the state before it decays, and its decay of the sums
// Shapes    q, k [B,G,K], v, out [B,Q,D], a, b [B,Q], aLog, dtBias [Q] float32, state [slots,Q,K,D] in S; starts [B+1],
//           past, slots [B] int32; D % 32 == 0, K <= 128, G divides Q, every sequence one token or none
// Layout    as delta_rule_update
// Roofline  bytes = state read and written = 2*B*Q*K*D*size(S), flops = 7*B*Q*K*D: bandwidth-bound everywhere
// Launch    grid (ceil(D*size(S)/128), Q, B), block (128), no dynamic shared memory; a block has 128 bytes of each row of a
//           head's state, columns that depend on no other, 128 bytes a thread, in shared memory as they lie
// Numerics  float32; the output is of the state before it is rounded to S
// Source    Yang, Kautz and Hatamizadeh 2024 (Gated Delta Networks), eq. 10
#include "common/async_copy.cuh"
#include "common/recurrent.cuh"
#include "common/reduce.cuh"
#include "common/scatter_sums.cuh"

constexpr int THREADS = 128;
constexpr int WARPS = THREADS / 32;
constexpr int LANES = 8; // threads that share a row
constexpr int PARTS = 32 / LANES;
constexpr int ROWS = THREADS / LANES; // rows that the block reaches at once
constexpr int KEYS = 128;
constexpr int VECTORS = KEYS / ROWS;

template <class S>
static __device__ void step(bf16* out, S* state, const bf16* q, const bf16* k, const bf16* v, const bf16* a,
                            const bf16* b, const float* aLog, const float* dtBias, const int* starts, const int* past,
                            const int* slots, int keyHeads, int heads, int K, int D, int64_t ldq, int64_t ldk,
                            int64_t ldv, int64_t lda, int64_t ldb, float scale) {
    constexpr int W = WIDE<S>;
    constexpr int COLUMNS = LANES * W;
    static_assert(KEYS == THREADS, "a key and a query each");
    __shared__ uint4 held[VECTORS][THREADS]; // the state, each thread's own: registers would not do for enough blocks
    __shared__ float keys[KEYS], queries[KEYS];
    __shared__ float along[2][WARPS][COLUMNS]; // S^T k and S^T q of each warp's rows
    __shared__ __align__(16) float corrections[COLUMNS];
    __shared__ float decay, beta, match; // match: k . q
    const int head = blockIdx.y;
    const int sequence = blockIdx.z;
    const int first = blockIdx.x * COLUMNS;
    const int thread = threadIdx.x;
    const int column = thread % LANES * W;
    const int firstRow = thread / LANES;
    const bool has = first + column < D;
    const bool fresh = past[sequence] == 0;
    S* own = state + ((static_cast<int64_t>(slots[sequence]) * heads + head) * K + firstRow) * D + first + column;
#pragma unroll
    for (int i = 0; i < VECTORS; i++) {
        const bool there = !fresh && has && firstRow + i * ROWS < K;
        copyAsync16(sharedAddress(&held[i][thread]), there ? own + i * ROWS * D : state, there);
    }
    closeCopyGroup();
    const int64_t t = starts[sequence];
    if (starts[sequence + 1] == t) {
        return;
    }
    const int64_t key = static_cast<int64_t>(head / (heads / keyHeads)) * K + thread;
    const int64_t at = static_cast<int64_t>(head) * D + first + thread;
    const bool finishes = thread < min(COLUMNS, D - first); // a column each
    keys[thread] = thread < K ? __bfloat162float(k[t * ldk + key]) : 0;
    queries[thread] = thread < K ? __bfloat162float(q[t * ldq + key]) : 0;
    const float value = finishes ? __bfloat162float(v[t * ldv + at]) : 0;
    __syncthreads();
    if (thread / 32 == WARPS - 1) { // while states are on their way
        float product = 0;
#pragma unroll
        for (int i = 0; i < KEYS; i += 32) {
            product += keys[i + thread % 32] * queries[i + thread % 32];
        }
        match = warpSum(product);
        decay = expf(-expf(aLog[head]) * softplus(__bfloat162float(a[t * lda + head]) + dtBias[head]));
        beta = sigmoid(__bfloat162float(b[t * ldb + head]));
    }
    awaitCopyGroups<0>();
    float onKey[W] = {}, onQuery[W] = {};
#pragma unroll
    for (int i = 0; i < VECTORS; i++) {
        const int row = firstRow + i * ROWS;
        float s[W];
        widen(s, held[i][thread], own);
#pragma unroll
        for (int j = 0; j < W; j++) {
            onKey[j] += s[j] * keys[row];
            onQuery[j] += s[j] * queries[row];
        }
    }
    scatterSums<PARTS>(onKey);
    scatterSums<PARTS>(onQuery);
    const int mine = column + thread % 32 / LANES * (W / PARTS);
#pragma unroll
    for (int j = 0; j < W / PARTS; j++) {
        along[0][thread / 32][mine + j] = onKey[j];
        along[1][thread / 32][mine + j] = onQuery[j];
    }
    __syncthreads();
    if (finishes) {
        float stored = 0, read = 0;
#pragma unroll
        for (int warp = 0; warp < WARPS; warp++) {
            stored += along[0][warp][thread];
            read += along[1][warp][thread];
        }
        const float correction = beta * (value - decay * stored);
        corrections[thread] = correction;
        out[t * heads * D + at] = __float2bfloat16_rn(scale * (decay * read + match * correction));
    }
    __syncthreads();
    const float kept = decay;
    float correction[W];
#pragma unroll
    for (int j = 0; j < W; j++) {
        correction[j] = corrections[column + j];
    }
#pragma unroll
    for (int i = 0; i < VECTORS; i++) {
        const int row = firstRow + i * ROWS;
        float s[W];
        widen(s, held[i][thread], own);
#pragma unroll
        for (int j = 0; j < W; j++) {
            s[j] = kept * s[j] + keys[row] * correction[j];
        }
        if (has && row < K) {
            store(own + i * ROWS * D, s);
        }
    }
}

#define DELTA_RULE_STEP(SUFFIX, S)                                                                                      \
    extern "C" __global__ __launch_bounds__(THREADS, 8) void delta_rule_step_##SUFFIX(                                  \
        bf16* out, S* state, const bf16* q, const bf16* k, const bf16* v, const bf16* a, const bf16* b,                 \
        const float* aLog, const float* dtBias, const int* starts, const int* past, const int* slots, int keyHeads,     \
        int heads, int K, int D, int64_t ldq, int64_t ldk, int64_t ldv, int64_t lda, int64_t ldb, float scale) {        \
        step(out, state, q, k, v, a, b, aLog, dtBias, starts, past, slots, keyHeads, heads, K, D, ldq, ldk, ldv, lda,   \
             ldb, scale);                                                                                               \
    }

DELTA_RULE_STEP(f32, float)
DELTA_RULE_STEP(f16, __half)
DELTA_RULE_STEP(bf16, bf16)
