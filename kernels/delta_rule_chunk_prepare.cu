// delta_rule_chunk_prepare: the part of the chunked delta rule that chunks can do side by side: the first of two passes
// over prefill.
//
// Math      per chunk of 64 tokens, with g[t] the decays' logarithms summed from its start:
//           M[t,s] = beta[t] * (k[t].k[s]) * exp(g[t]-g[s]) for s < t; T = (I + M)^-1, unit lower triangular;
//           u = T diag(beta) v; w = T diag(beta*exp(g)) k; scores[t,s] = scale * (q[t].k[s]) * exp(g[t]-g[s]) for s <= t
// Shapes    q, k [T,G,128], v [T,Q,128], a, b [T,Q], aLog, dtBias [Q] float32, starts [B+1] int32; chunks [B,most,Q] of
//           DeltaChunk, most the longest sequence's number of chunks
// Layout    tokens of q, k, v, a, b lie ldq, ldk, ldv, lda, ldb elements apart; q, k, v 16-byte aligned, their steps
//           multiples of 8
// Roofline  bytes = q, k, v once, chunks once (650 bytes a token and head), flops = 2*T*Q*64*5*128: bandwidth-bound
// Launch    grid (most, Q, B), block (128), 50,176 bytes of dynamic shared memory
// Numerics  M and T are float32; T, u, w and scores are rounded to bf16
// Source    Yang et al. 2024, "Parallelizing Linear Transformers with the Delta Rule", §3; Yang, Kautz and Hatamizadeh 2024
#include "common/delta_chunks.cuh"
#include "common/exp2.cuh"
#include "common/gates.cuh"
#include "common/warp_tiles.cuh"

constexpr int HALF = DELTA_CHUNK / 2;
constexpr int STEP = DELTA_CHUNK + 4; // floats of a row of M: rows of a fragment meet no bank twice
constexpr int TILE_BYTES = DELTA_CHUNK * DELTA_K * 2;

struct Tokens {
    float decay[DELTA_CHUNK]; // logarithms to base 2, summed from the chunk's start
    float beta[DELTA_CHUNK];
};

// By the first warp, two tokens a lane.
static __device__ void gates(Tokens& tokens, DeltaGates& out, const bf16* a, const bf16* b, int64_t lda, int64_t ldb, int rows,
                             float rate, float bias, float scale) {
    const int lane = threadIdx.x;
    float decay[2], sum = 0;
#pragma unroll
    for (int i = 0; i < 2; i++) {
        const int t = 2 * lane + i;
        sum += t < rows ? rate * softplus(__bfloat162float(a[t * lda]) + bias) : 0;
        decay[i] = sum;
        tokens.beta[t] = t < rows ? sigmoid(__bfloat162float(b[t * ldb])) : 0;
    }
    float before = sum;
#pragma unroll
    for (int distance = 1; distance < 32; distance *= 2) {
        const float other = __shfl_up_sync(0xFFFFFFFFu, before, distance);
        before += lane >= distance ? other : 0;
    }
    const float last = __shfl_sync(0xFFFFFFFFu, before, 31);
    before -= sum;
#pragma unroll
    for (int i = 0; i < 2; i++) {
        const int t = 2 * lane + i;
        tokens.decay[t] = before + decay[i];
        out.through[t] = fastExp2(before + decay[i]) * scale;
        out.rest[t] = fastExp2(last - (before + decay[i]));
    }
    if (lane == 0) {
        out.kept = fastExp2(last);
    }
}

// The inverse of I + M in place, M strictly lower triangular and 0 elsewhere; 128 threads.
static __device__ void invert(float* m) {
    const int thread = threadIdx.x;
    float column[HALF]; // of the inverse of a diagonal half, by forward substitution
    float* half = m + thread / HALF * (HALF * STEP + HALF);
    const int c = thread % HALF;
    if (thread < DELTA_CHUNK) {
#pragma unroll
        for (int t = 0; t < HALF; t++) {
            float sum[4] = {t == c ? 1.f : 0.f}; // four chains, each a quarter as long
#pragma unroll
            for (int s = 0; s < t; s += 4) {
                const float4 v = *reinterpret_cast<const float4*>(&half[t * STEP + s]); // zeros from column t on
                sum[0] -= v.x * column[s];
                sum[1] -= s + 1 < t ? v.y * column[s + 1] : 0;
                sum[2] -= s + 2 < t ? v.z * column[s + 2] : 0;
                sum[3] -= s + 3 < t ? v.w * column[s + 3] : 0;
            }
            column[t] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
        }
    }
    __syncthreads();
    if (thread < DELTA_CHUNK) {
#pragma unroll
        for (int t = 0; t < HALF; t++) {
            half[t * STEP + c] = column[t];
        }
    }
    __syncthreads();
    // The lower left quarter becomes -T2 * (M21 * T1): a row and eight columns of it for each thread.
    float* corner = m + HALF * STEP;
    const int row = thread / 4, first = thread % 4 * 8;
    auto times = [&](const float* left, const float* right, float sign) {
        float sum[8] = {};
#pragma unroll 4
        for (int s = 0; s < HALF; s++) {
            const float factor = left[row * STEP + s];
            const float4 low = *reinterpret_cast<const float4*>(&right[s * STEP + first]);
            const float4 high = *reinterpret_cast<const float4*>(&right[s * STEP + first + 4]);
            sum[0] += factor * low.x, sum[1] += factor * low.y, sum[2] += factor * low.z, sum[3] += factor * low.w;
            sum[4] += factor * high.x, sum[5] += factor * high.y, sum[6] += factor * high.z, sum[7] += factor * high.w;
        }
        __syncthreads();
#pragma unroll
        for (int j = 0; j < 8; j++) {
            corner[row * STEP + first + j] = sign * sum[j];
        }
        __syncthreads();
    };
    times(corner, m, 1);
    times(corner + HALF, corner, -1);
}

// Rows 16*warp .. of T diag(factor) * right, to memory as fragments.
static __device__ void product(uint4* out, const float* m, const float (&factor)[DELTA_CHUNK], WarpTile<256> right) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    float sums[DELTA_K / 8][4] = {};
    for (int k = 0; k <= warp; k++) {
        float part[2][4];
#pragma unroll
        for (int j = 0; j < 2; j++) {
            const int s = 16 * k + 8 * j + lane % 4 * 2;
#pragma unroll
            for (int h = 0; h < 2; h++) {
                const float2 v = *reinterpret_cast<const float2*>(&m[(16 * warp + lane / 4 + 8 * h) * STEP + s]);
                part[j][2 * h] = v.x * factor[s];
                part[j][2 * h + 1] = v.y * factor[s + 1];
            }
        }
        uint32_t a[4];
        packLeft(a, part[0], part[1]);
#pragma unroll
        for (int j = 0; j < DELTA_K / 8; j += 2) {
            uint32_t operands[2][2];
            right.rightTransposed(operands, 8 * j, k);
            addWarpProduct(sums[j], a, operands[0]);
            addWarpProduct(sums[j + 1], a, operands[1]);
        }
    }
#pragma unroll
    for (int j = 0; j < DELTA_K / 16; j++) {
        uint32_t a[4];
        packLeft(a, sums[2 * j], sums[2 * j + 1]);
        out[(warp * (DELTA_K / 16) + j) * 32 + lane] = make_uint4(a[0], a[1], a[2], a[3]);
    }
}

// Rows 16*warp .. of left * right^T, columns up to their own.
static __device__ void dots(float (&sums)[DELTA_CHUNK / 8][4], WarpTile<256> left, WarpTile<256> right) {
    const int warp = threadIdx.x / 32;
#pragma unroll 2
    for (int k = 0; k < DELTA_K / 16; k++) {
        uint32_t a[4];
        left.left(a, 16 * warp, k);
#pragma unroll
        for (int j = 0; j < DELTA_CHUNK / 8; j += 2) {
            if (j <= 2 * warp) {
                uint32_t operands[2][2];
                right.right(operands, 8 * j, k);
                addWarpProduct(sums[j], a, operands[0]);
                addWarpProduct(sums[j + 1], a, operands[1]);
            }
        }
    }
}

extern "C" __global__ __launch_bounds__(128, 4)
void delta_rule_chunk_prepare_bf16(DeltaChunk* chunks, const bf16* q, const bf16* k, const bf16* v, const bf16* a,
                                   const bf16* b, const float* aLog, const float* dtBias, const int* starts, int keyHeads,
                                   int heads, int64_t ldq, int64_t ldk, int64_t ldv, int64_t lda, int64_t ldb, float scale) {
    extern __shared__ __align__(1024) uint8_t shared[];
    const uint32_t base = sharedAddress(shared);
    const WarpTile<256> keys{base}, values{base + TILE_BYTES}, queries{base + 2 * TILE_BYTES};
    float* m = reinterpret_cast<float*>(shared + 2 * TILE_BYTES); // over the queries, and a little longer
    __shared__ Tokens tokens;
    __shared__ float decayedBeta[DELTA_CHUNK];
    const int chunk = blockIdx.x, head = blockIdx.y, sequence = blockIdx.z;
    const int64_t token = starts[sequence] + static_cast<int64_t>(chunk) * DELTA_CHUNK;
    const int rows = static_cast<int>(min(static_cast<int64_t>(DELTA_CHUNK), starts[sequence + 1] - token));
    if (rows <= 0) {
        return;
    }
    const int group = head / (heads / keyHeads);
    DeltaChunk& out = chunks[(static_cast<int64_t>(sequence) * gridDim.x + chunk) * heads + head];
    copyRows<256, DELTA_CHUNK, 128>(keys, k + token * ldk + group * DELTA_K, ldk, rows);
    copyRows<256, DELTA_CHUNK, 128>(queries, q + token * ldq + group * DELTA_K, ldq, rows);
    closeCopyGroup();
    copyRows<256, DELTA_CHUNK, 128>(values, v + token * ldv + head * DELTA_K, ldv, rows);
    closeCopyGroup();
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    if (warp == 0) {
        gates(tokens, out.gates, a + token * lda + head, b + token * ldb + head, lda, ldb, rows,
              -expf(aLog[head]) * 1.44269504f, dtBias[head], scale);
    }
    awaitCopyGroups<1>();
    __syncthreads();
    if (threadIdx.x < DELTA_CHUNK) {
        decayedBeta[threadIdx.x] = tokens.beta[threadIdx.x] * fastExp2(tokens.decay[threadIdx.x]);
    }
    const int row[2] = {16 * warp + lane / 4, 16 * warp + lane / 4 + 8};
    float sums[DELTA_CHUNK / 8][4] = {};
    dots(sums, queries, keys);
#pragma unroll
    for (int j = 0; j < DELTA_CHUNK / 8; j++) {
        const int s = 8 * j + lane % 4 * 2;
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const int t = row[i / 2], column = s + i % 2;
            sums[j][i] = column <= t ? scale * sums[j][i] * fastExp2(tokens.decay[t] - tokens.decay[column]) : 0;
        }
    }
#pragma unroll
    for (int j = 0; j < DELTA_CHUNK / 16; j++) {
        uint32_t f[4];
        packLeft(f, sums[2 * j], sums[2 * j + 1]);
        out.scores[(warp * (DELTA_CHUNK / 16) + j) * 32 + lane] = make_uint4(f[0], f[1], f[2], f[3]);
    }
#pragma unroll
    for (int j = 0; j < DELTA_CHUNK / 8; j++) {
        sums[j][0] = sums[j][1] = sums[j][2] = sums[j][3] = 0;
    }
    dots(sums, keys, keys);
    __syncthreads(); // the queries are read
#pragma unroll
    for (int j = 0; j < DELTA_CHUNK / 8; j++) {
        const int s = 8 * j + lane % 4 * 2;
#pragma unroll
        for (int h = 0; h < 2; h++) {
            const int t = row[h];
            const float2 v2 = make_float2(
                s < t ? sums[j][2 * h] * tokens.beta[t] * fastExp2(tokens.decay[t] - tokens.decay[s]) : 0,
                s + 1 < t ? sums[j][2 * h + 1] * tokens.beta[t] * fastExp2(tokens.decay[t] - tokens.decay[s + 1]) : 0);
            *reinterpret_cast<float2*>(&m[t * STEP + s]) = v2;
        }
    }
    awaitCopyGroups<0>();
    __syncthreads();
    invert(m);
    product(out.u, m, tokens.beta, values);
    product(out.w, m, decayedBeta, keys);
}
