// delta_rule_update: the gated delta rule, token by token, the state in registers: decode of several tokens, and
// prefill of odd heads.
//
// Math      beta = sigmoid(b[t,h]); decay = exp(-exp(aLog[h]) * softplus(a[t,h] + dtBias[h])); S <- decay*S;
//           e[d] = beta*(v[t,h,d] - sum_i S[i,d]*k[t,g,i]); S[i,d] <- S[i,d] + k[t,g,i]*e[d];
//           out[t,h,d] = scale * sum_i S[i,d]*q[t,g,i]; S starts from zero where the sequence has no past
// Shapes    q, k [T,G,K], v, out [T,Q,D], a, b [T,Q], aLog, dtBias [Q] float32, state [slots,Q,K,D] in S; starts [B+1],
//           past, slots [B] int32; D % 32 == 0, K <= 128, G divides Q, lengths of at least 1
// Layout    tokens of q, k, v, a, b lie ldq, ldk, ldv, lda, ldb elements apart, heads follow each other; out and state are
//           contiguous, the state 16-byte aligned
// Roofline  bytes = state read and written = 2*B*Q*K*D*size(S), flops = 7*T*Q*K*D: bandwidth-bound everywhere
// Launch    grid (D/32, Q, B), block (128), no dynamic shared memory; a block has 32 columns of a head's state, which
//           depend on no other column, 32 elements a thread, in registers over all tokens of its sequence
// Numerics  float32; the output is of the state before it is rounded to S
// Source    Yang, Kautz and Hatamizadeh 2024 (Gated Delta Networks), eq. 10
#include "common/recurrent.cuh"
#include "common/reduce.cuh"
#include "common/scatter_sums.cuh"

constexpr int THREADS = 128;
constexpr int WARPS = THREADS / 32;
constexpr int COLUMNS = 32;
constexpr int PER_THREAD = 32; // 128 rows of 32 columns over 128 threads

template <class S>
static __device__ void update(bf16* out, S* state, const bf16* q, const bf16* k, const bf16* v, const bf16* a,
                              const bf16* b, const float* aLog, const float* dtBias, const int* starts,
                              const int* past, const int* slots, int keyHeads, int heads, int K, int D, int64_t ldq,
                              int64_t ldk, int64_t ldv, int64_t lda, int64_t ldb, float scale) {
    constexpr int W = WIDE<S>;
    constexpr int VECTORS = PER_THREAD / W;
    constexpr int LANES = COLUMNS / W;   // threads that share a row of the tile
    constexpr int ROWS = THREADS / LANES; // rows that the block reaches at once
    static_assert(W * LANES == 32, "a warp's lanes end with one column each");
    __shared__ float keys[128], queries[128];
    __shared__ float along[2][WARPS][COLUMNS]; // S^T k and S^T q of each warp's rows
    const int head = blockIdx.y;
    const int sequence = blockIdx.z;
    const int64_t keyHead = head / (heads / keyHeads);
    const int column = threadIdx.x % LANES * W;
    const int firstRow = threadIdx.x / LANES;
    S* own = state + (static_cast<int64_t>(slots[sequence]) * heads + head) * K * D + blockIdx.x * COLUMNS + column;
    float s[VECTORS][W];
    const bool fresh = past[sequence] == 0;
#pragma unroll
    for (int i = 0; i < VECTORS; i++) {
        const int row = firstRow + i * ROWS;
        if (!fresh && row < K) {
            load(s[i], own + static_cast<int64_t>(row) * D);
        } else {
#pragma unroll
            for (int j = 0; j < W; j++) {
                s[i][j] = 0;
            }
        }
    }
    const float rate = -expf(aLog[head]);
    const float bias = dtBias[head];
    const int64_t until = starts[sequence + 1];
    for (int64_t t = starts[sequence]; t < until; t++) {
        for (int i = threadIdx.x; i < 128; i += THREADS) {
            keys[i] = i < K ? __bfloat162float(k[t * ldk + keyHead * K + i]) : 0;
            queries[i] = i < K ? __bfloat162float(q[t * ldq + keyHead * K + i]) : 0;
        }
        __syncthreads();
        const float beta = sigmoid(__bfloat162float(b[t * ldb + head]));
        const float decay = expf(rate * softplus(__bfloat162float(a[t * lda + head]) + bias));
        float onKey[W] = {}, onQuery[W] = {};
#pragma unroll
        for (int i = 0; i < VECTORS; i++) {
            const int row = firstRow + i * ROWS;
#pragma unroll
            for (int j = 0; j < W; j++) {
                s[i][j] *= decay;
                onKey[j] += s[i][j] * keys[row];
                onQuery[j] += s[i][j] * queries[row];
            }
        }
        const int mine = column + threadIdx.x % 32 / LANES;
        scatterSums<W>(onKey);
        scatterSums<W>(onQuery);
        along[0][threadIdx.x / 32][mine] = onKey[0];
        along[1][threadIdx.x / 32][mine] = onQuery[0];
        float match = 0; // k . q
        for (int i = threadIdx.x % 32; i < 128; i += 32) {
            match += keys[i] * queries[i];
        }
        match = warpSum(match);
        __syncthreads();
        const int64_t at = t * ldv + static_cast<int64_t>(head) * D + blockIdx.x * COLUMNS + column;
        float correction[W];
#pragma unroll
        for (int j = 0; j < W; j++) {
            float stored = 0;
#pragma unroll
            for (int warp = 0; warp < WARPS; warp++) {
                stored += along[0][warp][column + j];
            }
            correction[j] = beta * (__bfloat162float(v[at + j]) - stored);
        }
#pragma unroll
        for (int i = 0; i < VECTORS; i++) {
            const int row = firstRow + i * ROWS;
#pragma unroll
            for (int j = 0; j < W; j++) {
                s[i][j] += keys[row] * correction[j];
            }
        }
        if (threadIdx.x < LANES) {
#pragma unroll
            for (int j = 0; j < W; j++) {
                float read = match * correction[j];
#pragma unroll
                for (int warp = 0; warp < WARPS; warp++) {
                    read += along[1][warp][column + j];
                }
                out[(t * heads + head) * D + blockIdx.x * COLUMNS + column + j] = __float2bfloat16_rn(scale * read);
            }
        }
        __syncthreads(); // keys, queries and sums are used again
    }
#pragma unroll
    for (int i = 0; i < VECTORS; i++) {
        const int row = firstRow + i * ROWS;
        if (row < K) {
            store(own + static_cast<int64_t>(row) * D, s[i]);
        }
    }
}

#define DELTA_RULE_UPDATE(SUFFIX, S)                                                                                    \
    extern "C" __global__ __launch_bounds__(THREADS, 6) void delta_rule_update_##SUFFIX(                                \
        bf16* out, S* state, const bf16* q, const bf16* k, const bf16* v, const bf16* a, const bf16* b,                 \
        const float* aLog, const float* dtBias, const int* starts, const int* past, const int* slots, int keyHeads,     \
        int heads, int K, int D, int64_t ldq, int64_t ldk, int64_t ldv, int64_t lda, int64_t ldb, float scale) {        \
        update(out, state, q, k, v, a, b, aLog, dtBias, starts, past, slots, keyHeads, heads, K, D, ldq, ldk, ldv, lda, \
               ldb, scale);                                                                                             \
    }

DELTA_RULE_UPDATE(f32, float)
DELTA_RULE_UPDATE(f16, __half)
DELTA_RULE_UPDATE(bf16, bf16)
