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

struct alignas(16) Tokens {
    float decay[DELTA_CHUNK]; // logarithms to base 2, summed from the chunk's start
    float beta[DELTA_CHUNK];
};

// What a lane of the first warp has of its two tokens' gates and its head's. Loaded at once and ahead of the chunk's rows, so
// that they are there when those are; raw, since a conversion would wait for them.
struct RawGates {
    uint16_t a[2], b[2];
    float rate, bias;

    __device__ void load(const bf16* as, const bf16* bs, int64_t lda, int64_t ldb, int rows, const float* aLog,
                         const float* dtBias) {
#pragma unroll
        for (int i = 0; i < 2; i++) {
            const int t = min(2 * static_cast<int>(threadIdx.x) + i, rows - 1);
            a[i] = *reinterpret_cast<const uint16_t*>(as + t * lda);
            b[i] = *reinterpret_cast<const uint16_t*>(bs + t * ldb);
        }
        rate = *aLog, bias = *dtBias;
    }
    static __device__ float wide(uint16_t v) { return __uint_as_float(static_cast<uint32_t>(v) << 16); }
};

// By the first warp, two tokens a lane.
static __device__ void gates(Tokens& tokens, DeltaGates& out, const RawGates& raw, int rows, float scale) {
    const int lane = threadIdx.x;
    const float rate = -expf(raw.rate) * 1.44269504f;
    float decay[2], sum = 0;
#pragma unroll
    for (int i = 0; i < 2; i++) {
        const int t = 2 * lane + i;
        const float step = rate * softplus(RawGates::wide(raw.a[i]) + raw.bias);
        sum += t < rows ? step : 0;
        decay[i] = sum;
        tokens.beta[t] = t < rows ? sigmoid(RawGates::wide(raw.b[i])) : 0;
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
    // The lower left quarter becomes -T2 * (M21 * T1): four rows and two columns of it for each thread. The loads of four
    // steps then take 16 cycles of shared memory; a row of eight columns would take 34, as threads side by side share less.
    float* corner = m + HALF * STEP;
    const int row = thread / 16 * 4, first = thread % 16 * 2;
    auto times = [&](const float* left, const float* right, float sign) {
        float sum[4][2] = {};
#pragma unroll 2
        for (int s = 0; s < HALF; s += 4) {
            float4 factors[4];
            float2 v[4];
#pragma unroll
            for (int i = 0; i < 4; i++) {
                factors[i] = *reinterpret_cast<const float4*>(&left[(row + i) * STEP + s]);
                v[i] = *reinterpret_cast<const float2*>(&right[(s + i) * STEP + first]);
            }
#pragma unroll
            for (int i = 0; i < 4; i++) {
                sum[i][0] += factors[i].x * v[0].x, sum[i][1] += factors[i].x * v[0].y;
                sum[i][0] += factors[i].y * v[1].x, sum[i][1] += factors[i].y * v[1].y;
                sum[i][0] += factors[i].z * v[2].x, sum[i][1] += factors[i].z * v[2].y;
                sum[i][0] += factors[i].w * v[3].x, sum[i][1] += factors[i].w * v[3].y;
            }
        }
        __syncthreads();
#pragma unroll
        for (int i = 0; i < 4; i++) {
            *reinterpret_cast<float2*>(&corner[(row + i) * STEP + first]) = make_float2(sign * sum[i][0], sign * sum[i][1]);
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

// Rows 16*warp .. of queries * keys^T and of keys * keys^T, columns up to their own.
static __device__ void dots(float (&scores)[DELTA_CHUNK / 8][4], float (&sums)[DELTA_CHUNK / 8][4], WarpTile<256> queries,
                            WarpTile<256> keys) {
    const int warp = threadIdx.x / 32;
#pragma unroll 2
    for (int k = 0; k < DELTA_K / 16; k++) {
        uint32_t a[4], b[4];
        queries.left(a, 16 * warp, k);
        keys.left(b, 16 * warp, k);
#pragma unroll
        for (int j = 0; j < DELTA_CHUNK / 8; j += 2) {
            if (j <= 2 * warp) {
                uint32_t operands[2][2];
                keys.right(operands, 8 * j, k);
                addWarpProduct(scores[j], a, operands[0]);
                addWarpProduct(scores[j + 1], a, operands[1]);
                addWarpProduct(sums[j], b, operands[0]);
                addWarpProduct(sums[j + 1], b, operands[1]);
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
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    RawGates raw = {};
    if (warp == 0) {
        raw.load(a + token * lda + head, b + token * ldb + head, lda, ldb, rows, aLog + head, dtBias + head);
    }
    copyRows<256, DELTA_CHUNK, 128>(keys, k + token * ldk + group * DELTA_K, ldk, rows);
    copyRows<256, DELTA_CHUNK, 128>(queries, q + token * ldq + group * DELTA_K, ldq, rows);
    closeCopyGroup();
    copyRows<256, DELTA_CHUNK, 128>(values, v + token * ldv + head * DELTA_K, ldv, rows);
    closeCopyGroup();
    if (warp == 0) {
        gates(tokens, out.gates, raw, rows, scale);
    }
    awaitCopyGroups<1>();
    __syncthreads();
    if (threadIdx.x < DELTA_CHUNK) {
        decayedBeta[threadIdx.x] = tokens.beta[threadIdx.x] * fastExp2(tokens.decay[threadIdx.x]);
    }
    const int row[2] = {16 * warp + lane / 4, 16 * warp + lane / 4 + 8};
    float scores[DELTA_CHUNK / 8][4] = {}, sums[DELTA_CHUNK / 8][4] = {};
    dots(scores, sums, queries, keys);
    __syncthreads(); // the queries are read
    const float decay[2] = {tokens.decay[row[0]], tokens.decay[row[1]]};
    const float beta[2] = {tokens.beta[row[0]], tokens.beta[row[1]]};
#pragma unroll
    for (int j = 0; j < DELTA_CHUNK / 8; j++) {
        const int s = 8 * j + lane % 4 * 2;
        if (j <= 2 * warp + 1) { // behind those, both are 0
            const float2 before = *reinterpret_cast<const float2*>(&tokens.decay[s]);
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const int t = row[i / 2], column = s + i % 2;
                const float kept = fastExp2(decay[i / 2] - (i % 2 ? before.y : before.x));
                scores[j][i] = column <= t ? scale * scores[j][i] * kept : 0;
                sums[j][i] = column < t ? sums[j][i] * beta[i / 2] * kept : 0;
            }
        }
        *reinterpret_cast<float2*>(&m[row[0] * STEP + s]) = make_float2(sums[j][0], sums[j][1]);
        *reinterpret_cast<float2*>(&m[row[1] * STEP + s]) = make_float2(sums[j][2], sums[j][3]);
    }
#pragma unroll
    for (int j = 0; j < DELTA_CHUNK / 16; j++) {
        uint32_t f[4];
        packLeft(f, scores[2 * j], scores[2 * j + 1]);
        out.scores[(warp * (DELTA_CHUNK / 16) + j) * 32 + lane] = make_uint4(f[0], f[1], f[2], f[3]);
    }
    awaitCopyGroups<0>();
    __syncthreads();
    invert(m);
    product(out.u, m, tokens.beta, values);
    product(out.w, m, decayedBeta, keys);
}
