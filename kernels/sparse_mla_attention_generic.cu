// sparse_mla_attention_generic: sparse_mla_attention for any width.
//
// Math      as in sparse_mla_attention.cu
// Shapes    q [T,Q,W], cache [pages*pageTokens, W] bf16, rows [T,k], positions [T] int32, out [T,Q,V], V <= W; any
// Layout    steps in elements between tokens and heads as named, elements of a head side by side; the rest is contiguous
// Roofline  not for speed: small models and unusual shapes
// Launch    grid (T, Q), block (128), dynamic shared memory 4*k bytes (attribute to be raised above 48 KiB)
// Numerics  float32
// Source    as in sparse_mla_attention.cu
#include "common/bf16.cuh"
#include "common/reduce.cuh"

extern "C" __global__ __launch_bounds__(128)
void sparse_mla_attention_generic_bf16(bf16* out, const bf16* q, const bf16* cache, const int* rows,
                                       const int* positions, int k, int W, int V, int64_t qToken, int64_t qHead,
                                       int64_t outToken, int64_t outHead, float scale) {
    extern __shared__ float scores[];
    const int64_t t = blockIdx.x, h = blockIdx.y;
    const int n = min(k, positions[t] + 1);
    const bf16* query = q + t * qToken + h * qHead;
    for (int j = threadIdx.x / 32; j < n; j += 4) {
        const bf16* row = cache + static_cast<int64_t>(rows[t * k + j]) * W;
        float sum = 0;
        for (int d = threadIdx.x % 32; d < W; d += 32) {
            sum += __bfloat162float(query[d]) * __bfloat162float(row[d]);
        }
        sum = warpSum(sum);
        if (threadIdx.x % 32 == 0) {
            scores[j] = sum * scale;
        }
    }
    __syncthreads();
    float highest = -INFINITY;
    for (int j = 0; j < n; j++) {
        highest = fmaxf(highest, scores[j]);
    }
    __syncthreads();
    float part = 0;
    for (int j = threadIdx.x; j < n; j += 128) {
        scores[j] = expf(scores[j] - highest);
        part += scores[j];
    }
    const float total = blockSum(part); // its barriers show all probabilities to all threads
    for (int d = threadIdx.x; d < V; d += 128) {
        float sum = 0;
        for (int j = 0; j < n; j++) {
            sum += scores[j] * __bfloat162float(cache[static_cast<int64_t>(rows[t * k + j]) * W + d]);
        }
        out[t * outToken + h * outHead + d] = __float2bfloat16_rn(sum / total);
    }
}
