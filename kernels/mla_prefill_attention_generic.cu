// mla_prefill_attention_generic: mla_prefill_attention for any head dimensions, steps and alignments, slowly.
//
// Math      score[i,s] = scale * (q[i,h,0:N] . kv[s,h,0:N] + q[i,h,N:N+R] . kRope[s,:]) for s <= past + i;
//           out[i,h,:] = sum_s softmax_s(score[i,:])[s] * kv[s,h,N:N+V], i and s counted within a sequence
// Shapes    q [T,Q,N+R], kv [S,Q,N+V], kRope [S,R], out [T,Q,V], starts [B+1], past [B] int32; S = T + sum(past);
//           sequences one after the other, in kv and kRope past tokens first; N + R + V <= 12160
// Layout    steps in elements between tokens and heads as named, elements of a head side by side
// Roofline  flops = 2*Q*(N+R+V)*pairs on CUDA cores, keys and values read again for every query: bound by load issue
// Launch    grid (T, Q), block (128), dynamic shared memory 4*(N + R + V + 128) B; a block per query and head
// Numerics  float32 throughout: |err| <= 2^-8*|y| + (2^-16 + S*2^-24)*sum(p*|v|)
// Source    DeepSeek-AI 2024 (DeepSeek-V2), §2.1; Milakov and Gimelshein 2018, algorithm 3
#include "common/paged.cuh"
#include "common/row_attention.cuh"

extern "C" __global__ __launch_bounds__(ROW_ATTENTION_THREADS)
void mla_prefill_attention_generic_bf16(bf16* out, const bf16* q, const bf16* kv, const bf16* kRope, const int* starts,
                                        const int* past, int B, int N, int R, int V, int64_t qToken, int64_t qHead,
                                        int64_t kvToken, int64_t kvHead, int64_t ropeToken, int64_t outToken,
                                        int64_t outHead, float scale) {
    const int64_t t = blockIdx.x;
    const int64_t head = blockIdx.y;
    const int sequence = sequenceOf(starts, B, t);
    const int64_t context = contextStart(starts, past, sequence);
    const int keys = past[sequence] + t - starts[sequence] + 1;
    const bf16* headKv = kv + context * kvToken + head * kvHead;
    const bf16* rope = kRope + context * ropeToken;
    attendRow(
        out + t * outToken + head * outHead, q + t * qToken + head * qHead, N + R, V, keys, scale,
        [&](int64_t s, int d) {
            return __bfloat162float(d < N ? headKv[s * kvToken + d] : rope[s * ropeToken + d - N]);
        },
        [&](int64_t s, int v) { return __bfloat162float(headKv[s * kvToken + N + v]); });
}
