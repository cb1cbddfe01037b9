// attention_combine: makes one result of the parts that decode attention leaves of a long sequence.
//
// Math      out[i,h,:] = sum_p w[p] * partial[p,i,h,:] with w[p] = 2^(logSum[p,i,h] - m) / sum_p 2^(logSum[p,i,h] - m),
//           m the largest of them; in an order that shapes alone decide, so the same bits each time
// Shapes    out [T,Q,D], partial [P,D], logSum [P] float32, starts [B+1], past [B] int32; D 128, 256 or 512. A sequence
//           of n new tokens and parts = ceil((past+n)/chunk) - lead + 1 > 1 has rows [parts, n, Q] of partial, after
//           those of the sequences before it; any other has none, and its rows of out are left as they are; lead >= 1
// Layout    steps in elements between tokens and heads as named, multiples of 2, elements of a head side by side;
//           partial lies on 16 bytes, out on 4
// Roofline  bytes = P*(D+1)*4 + 2*T*Q*D, flops = 3*P*D: bandwidth-bound, mostly from L2
// Launch    grid (T, Q), block (g*D/4), g*D/4 <= 512, no dynamic shared memory; a block per row. D/4 threads take a
//           part, 4 elements each; g such groups take parts in turn, 8 of them at once: g = the smallest power of
//           two with 8*g >= parts of the longest sequence, or the largest that fits; any g >= 1 is right
// Numerics  |err| <= (2^-8 + parts*2^-23) * sum(w*|partial|)
// Source    Dao et al. 2023 (Flash-Decoding)
#include "common/rows.cuh"
#include "common/softmax.cuh"
#include "common/split.cuh"

constexpr int MOST = 512; // threads
constexpr int AHEAD = 8; // parts of a group whose elements come while their weights are made

// The largest value of all threads, in every thread. Holds two block barriers.
static __device__ __forceinline__ float blockMax(float v) {
    __shared__ float highest[MOST / 32];
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2) {
        v = fmaxf(v, __shfl_xor_sync(0xFFFFFFFFu, v, distance));
    }
    if (threadIdx.x % 32 == 0) {
        highest[threadIdx.x / 32] = v;
    }
    __syncthreads();
    for (int i = 0; i < blockDim.x / 32; i++) {
        v = fmaxf(v, highest[i]);
    }
    __syncthreads(); // `highest` may be used again
    return v;
}

// A token's sequence, as all threads see it.
struct Found {
    int start, queries, parts;
};

template <int D>
static __device__ __forceinline__ void combine(bf16* out, const float* partial, const float* logSum, const int* starts,
                                               const int* past, int B, int Q, int chunk, int lead,
                                               int64_t outToken, int64_t outHead) {
    constexpr int LANES = D / 4;
    static_assert(AHEAD <= LANES, "those have their weights at once");
    const int threads = blockDim.x, groups = threads / LANES;
    const int64_t t = blockIdx.x;
    const int64_t head = blockIdx.y;
    const Split split{starts, past, Q, chunk, lead};
    __shared__ Found found;
    int64_t before = 0;
    for (int b = threadIdx.x; b < B; b += threads) { // lengths of all sequences at once, whichever is the token's
        const int start = starts[b], end = starts[b + 1];
        const int64_t rows = split.partials(b);
        if (start <= t && t < end) {
            found = {start, end - start, split.parts(b)};
        }
        before += end <= t ? rows : 0;
    }
    before = blockSum(before);
    const Found own = found;
    if (own.parts <= 1) {
        return;
    }
    const int64_t first = before + (t - own.start) * Q + head;
    const int64_t step = static_cast<int64_t>(own.queries) * Q;
    const int lane = threadIdx.x % LANES, group = threadIdx.x / LANES;
    const float4* next = reinterpret_cast<const float4*>(partial + (first + group * step) * D) + lane;
    const int64_t turn = groups * step * LANES; // to the group's next part
    float4 ahead[AHEAD];
#pragma unroll
    for (int i = 0; i < AHEAD; i++) {
        ahead[i] = group + i * groups < own.parts ? *next : make_float4(0, 0, 0, 0);
        next += turn;
    }
    const float mine = threadIdx.x < own.parts ? logSum[first + threadIdx.x * step] : -INFINITY;
    float highest = mine;
    for (int p = threadIdx.x + threads; p < own.parts; p += threads) {
        highest = fmaxf(highest, logSum[first + p * step]);
    }
    highest = blockMax(highest);
    __shared__ float weight[MOST];
    weight[threadIdx.x] = fastExp2(mine - highest); // 0 where a part has nothing to see, or is none
    __syncthreads();
    float4 y = make_float4(0, 0, 0, 0);
    float total = 0;
    auto add = [&](float w, const float4& v) {
        total += w;
        y.x += w * v.x;
        y.y += w * v.y;
        y.z += w * v.z;
        y.w += w * v.w;
    };
#pragma unroll
    for (int i = 0; i < AHEAD; i++) {
        add(weight[group + i * groups], ahead[i]);
    }
    int from = group + AHEAD * groups;
    for (int batch = 0; batch < own.parts; batch += threads) {
        const int to = min(own.parts, batch + threads);
        if (batch > 0) {
            __syncthreads();
            const int p = batch + threadIdx.x;
            weight[threadIdx.x] = p < to ? fastExp2(logSum[first + p * step] - highest) : 0;
            __syncthreads();
        }
#pragma unroll 8
        for (; from < to; from += groups) {
            add(weight[from - batch], *next);
            next += turn;
        }
    }
    __shared__ float4 sums[MOST / LANES][LANES];
    __shared__ float totals[MOST / LANES];
    sums[group][lane] = y;
    if (lane == 0) {
        totals[group] = total;
    }
    __syncthreads();
    if (group > 0) {
        return;
    }
    for (int g = 1; g < groups; g++) {
        const float4 v = sums[g][lane];
        y.x += v.x;
        y.y += v.y;
        y.z += v.z;
        y.w += v.w;
        total += totals[g];
    }
    const float inverse = 1 / total;
    bf16* to = out + t * outToken + head * outHead + 4 * lane;
    reinterpret_cast<uint32_t*>(to)[0] = packBf16(y.x * inverse, y.y * inverse);
    reinterpret_cast<uint32_t*>(to)[1] = packBf16(y.z * inverse, y.w * inverse);
}

#define ATTENTION_COMBINE(NAME, D)                                                                                     \
    extern "C" __global__ __launch_bounds__(MOST, 2) void NAME(bf16* out, const float* partial, const float* logSum,   \
                                                               const int* starts, const int* past, int B, int Q,       \
                                                               int chunk, int lead, int64_t outToken,                  \
                                                               int64_t outHead) {                                      \
        combine<D>(out, partial, logSum, starts, past, B, Q, chunk, lead, outToken, outHead);                          \
    }

ATTENTION_COMBINE(attention_combine_d128_bf16, 128)
ATTENTION_COMBINE(attention_combine_d256_bf16, 256)
ATTENTION_COMBINE(attention_combine_d512_bf16, 512)
