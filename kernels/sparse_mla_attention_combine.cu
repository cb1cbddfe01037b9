// sparse_mla_attention_combine: one result from those of parts of a token's chosen rows.
//
// Math      out[t,h,:] = sum_p w_p * partial[p,t,h,:] / sum_p w_p with w_p = 2^(logSum[p,t,h] - max_p logSum)
// Shapes    partial [P,T*Q,512], logSum [P,T*Q] float32, -inf where a part is empty and its partial undefined; out
//           [T,Q,512] bf16; at least one part is not empty; P <= 64
// Layout    steps in elements of out as named, multiples of 4; the rest is contiguous, pointers of 16 bytes
// Roofline  bytes = T*Q*(P*2052 + 1024): bandwidth-bound, small
// Launch    grid (T*Q), block (128): four columns a thread; no dynamic shared memory
// Numerics  float32, one rounding
// Source    Dao et al. 2023 (Flash-Decoding)
#include "common/bf16.cuh"

extern "C" __global__ __launch_bounds__(128)
void sparse_mla_attention_combine_bf16(bf16* out, const float* partial, const float* logSum, int T, int Q, int P,
                                       int64_t outToken, int64_t outHead) {
    const int64_t row = blockIdx.x;
    const int64_t rows = static_cast<int64_t>(T) * Q;
    float highest = -INFINITY;
    for (int p = 0; p < P; p++) {
        highest = fmaxf(highest, logSum[p * rows + row]);
    }
    float4 sum = make_float4(0, 0, 0, 0);
    float total = 0;
    for (int p = 0; p < P; p++) {
        const float weight = exp2f(logSum[p * rows + row] - highest);
        if (weight > 0) {
            const float4 v = reinterpret_cast<const float4*>(partial + (p * rows + row) * 512)[threadIdx.x];
            sum.x += weight * v.x, sum.y += weight * v.y, sum.z += weight * v.z, sum.w += weight * v.w;
            total += weight;
        }
    }
    bf16* to = out + row / Q * outToken + row % Q * outHead + 4 * threadIdx.x;
    *reinterpret_cast<uint2*>(to) =
        make_uint2(packBf16(sum.x / total, sum.y / total), packBf16(sum.z / total, sum.w / total));
}
