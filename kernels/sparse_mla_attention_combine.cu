// sparse_mla_attention_combine: one result from those of parts of a token's chosen rows.
//
// Math      out[t,h,:] = sum_p w_p * partial[p,t,h,:] / sum_p w_p with w_p = 2^(logSum[p,t,h] - max_p logSum)
// Shapes    partial [P,T*Q,512], logSum [P,T*Q] float32, -inf where a part is empty and its partial undefined; out
//           [T,Q,512] bf16; at least one part is not empty; any P
// Layout    steps in elements of out as named, multiples of 4; the rest is contiguous, pointers of 16 bytes
// Roofline  bytes = T*Q*(P*2052 + 1024), from L2: bound by latency where T*Q is small
// Launch    grid (T*Q), block (128): four columns a thread; no dynamic shared memory. Partials come by asynchronous copies,
//           two batches of eight on their way: the compiler would put each load where its value is needed, one wait after
//           the other. A thread reads what it copied, lanes of each warp know the weights of a batch
// Numerics  float32, one rounding; the same bits each time
// Source    Dao et al. 2023 (Flash-Decoding)
#include <math.h>

#include "common/async_copy.cuh"
#include "common/bf16.cuh"

constexpr int THREADS = 128, LANES = 32, BATCH = 8, STAGES = 2;

// Over each `count` lanes of a warp, the same bits in each.
template <class Join>
static __device__ __forceinline__ float overLanes(float v, int count, Join join) {
    for (int distance = count / 2; distance > 0; distance /= 2) {
        v = join(v, __shfl_xor_sync(0xFFFFFFFFu, v, distance));
    }
    return v;
}

// A token's head: what its parts left lies `step` results from one to the next.
struct Parts {
    const float* partial; // this thread's columns of the first
    const float* logSum;
    int64_t step;
    int count;

    // The batch from part `first` on as a group of copies, an empty one behind the last part.
    __device__ __forceinline__ void copy(float4 (&to)[BATCH][THREADS], int first) const {
#pragma unroll
        for (int i = 0; i < BATCH; i++) {
            if (first + i < count) {
                copyAsync16(sharedAddress(&to[i][threadIdx.x]), partial + (first + i) * step * 512, true);
            }
        }
        closeCopyGroup();
    }
};

extern "C" __global__ __launch_bounds__(THREADS)
void sparse_mla_attention_combine_bf16(bf16* out, const float* partial, const float* logSum, int T, int Q, int P,
                                       int64_t outToken, int64_t outHead) {
    __shared__ float4 batches[STAGES][BATCH][THREADS];
    const int64_t row = blockIdx.x;
    const Parts parts{partial + row * 512 + 4 * threadIdx.x, logSum + row, static_cast<int64_t>(T) * Q, P};
    const int lane = threadIdx.x % LANES;
    parts.copy(batches[0], 0);
    parts.copy(batches[1], BATCH);
    float highest = -INFINITY;
    for (int p = lane; p < P; p += LANES) {
        highest = fmaxf(highest, parts.logSum[p * parts.step]);
    }
    highest = overLanes(highest, LANES, [](float a, float b) { return fmaxf(a, b); });
    float4 sum = make_float4(0, 0, 0, 0);
    float total = 0; // of this lane's parts
    int stage = 0;
    for (int first = 0; first < P; first += BATCH) {
        const int part = first + lane % BATCH;
        const float own = part < P ? exp2f(parts.logSum[part * parts.step] - highest) : 0;
        total += own;
        awaitCopyGroups<STAGES - 1>();
#pragma unroll
        for (int i = 0; i < BATCH; i++) {
            const float weight = __shfl_sync(0xFFFFFFFFu, own, i);
            if (weight > 0) { // else the partial may be anything
                const float4 v = batches[stage][i][threadIdx.x];
                sum.x += weight * v.x, sum.y += weight * v.y, sum.z += weight * v.z, sum.w += weight * v.w;
            }
        }
        parts.copy(batches[stage], first + STAGES * BATCH);
        stage = (stage + 1) % STAGES;
    }
    total = overLanes(total, BATCH, [](float a, float b) { return a + b; });
    bf16* to = out + row / Q * outToken + row % Q * outHead + 4 * threadIdx.x;
    *reinterpret_cast<uint2*>(to) =
        make_uint2(packBf16(sum.x / total, sum.y / total), packBf16(sum.z / total, sum.w / total));
}
