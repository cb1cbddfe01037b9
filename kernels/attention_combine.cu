// attention_combine: makes one result of the parts that decode attention leaves of a long sequence.
//
// Math      out[i,h,:] = sum_p w[p] * partial[p,i,h,:] with w[p] = 2^(logSum[p,i,h] - m) / sum_p 2^(logSum[p,i,h] - m),
//           m the largest of them; part after part, so the same bits each time
// Shapes    out [T,Q,D], partial [P,D], logSum [P] float32, starts [B+1], past [B] int32; D 128, 256 or 512. A sequence
//           of n new tokens and parts = ceil((past+n)/chunk) > 1 has rows [parts, n, Q] of partial, after those of the
//           sequences before it; one of a single part has none, and its rows of out are left as they are
// Layout    steps in elements between tokens and heads as named, multiples of 2, elements of a head side by side;
//           partial lies on 16 bytes, out on 4
// Roofline  bytes = P*(D+1)*4 + 2*T*Q*D, flops = 3*P*D: bandwidth-bound, mostly from L2
// Launch    grid (T, Q), block (D/4), no dynamic shared memory; a block per row, 4 elements a thread.
// Numerics  |err| <= (2^-8 + parts*2^-23) * sum(w*|partial|)
// Source    Dao et al. 2023 (Flash-Decoding)
#include "common/rows.cuh"
#include "common/softmax.cuh"
#include "common/split.cuh"

template <int D>
static __device__ __forceinline__ void combine(bf16* out, const float* partial, const float* logSum, const int* starts,
                                               const int* past, int B, int Q, int chunk, int64_t outToken,
                                               int64_t outHead) {
    constexpr int THREADS = D / 4;
    const int64_t t = blockIdx.x;
    const int64_t head = blockIdx.y;
    const Split split{starts, past, Q, chunk};
    const int sequence = sequenceOf(starts, B, t);
    const int parts = split.parts(sequence);
    if (parts == 1) {
        return;
    }
    const int64_t first = split.firstPartial(sequence) + (t - starts[sequence]) * Q + head;
    const int64_t step = static_cast<int64_t>(split.queries(sequence)) * Q;
    __shared__ float weight[THREADS];
    float highest = -INFINITY;
    for (int p = threadIdx.x; p < parts; p += THREADS) {
        highest = fmaxf(highest, logSum[first + p * step]);
    }
    weight[threadIdx.x] = highest;
    __syncthreads();
    for (int i = 0; i < min(THREADS, parts); i++) {
        highest = fmaxf(highest, weight[i]);
    }
    float y[4] = {0, 0, 0, 0};
    float total = 0;
    for (int batch = 0; batch < parts; batch += THREADS) {
        const int count = min(THREADS, parts - batch);
        __syncthreads();
        if (threadIdx.x < count) { // 0 where a part has nothing to see
            weight[threadIdx.x] = fastExp2(logSum[first + (batch + threadIdx.x) * step] - highest);
        }
        __syncthreads();
#pragma unroll 8
        for (int i = 0; i < count; i++) {
            const float w = weight[i];
            const float4 v = reinterpret_cast<const float4*>(partial + (first + (batch + i) * step) * D)[threadIdx.x];
            total += w;
            y[0] += w * v.x;
            y[1] += w * v.y;
            y[2] += w * v.z;
            y[3] += w * v.w;
        }
    }
    const float inverse = 1 / total;
    bf16* to = out + t * outToken + head * outHead + 4 * threadIdx.x;
    reinterpret_cast<uint32_t*>(to)[0] = packBf16(y[0] * inverse, y[1] * inverse);
    reinterpret_cast<uint32_t*>(to)[1] = packBf16(y[2] * inverse, y[3] * inverse);
}

#define ATTENTION_COMBINE(NAME, D)                                                                                     \
    extern "C" __global__ __launch_bounds__(D / 4) void NAME(bf16* out, const float* partial, const float* logSum,     \
                                                             const int* starts, const int* past, int B, int Q,         \
                                                             int chunk, int64_t outToken, int64_t outHead) {           \
        combine<D>(out, partial, logSum, starts, past, B, Q, chunk, outToken, outHead);                                \
    }

ATTENTION_COMBINE(attention_combine_d128_bf16, 128)
ATTENTION_COMBINE(attention_combine_d256_bf16, 256)
ATTENTION_COMBINE(attention_combine_d512_bf16, 512)
