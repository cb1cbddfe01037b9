// gqa_prefill_attention_generic: gqa_prefill_attention for any head dimension, steps and alignments, slowly.
//
// Math      score[i,h,s] = scale * (q[i,h,:] . k[s,h/(Q/G),:]) for s <= past + i; out[i,h,:] =
//           sum_s softmax_s(score[i,h])[s] * v[s,h/(Q/G),:], i and s counted within a sequence
// Shapes    q, out [T,Q,D], k, v [S,G,D], starts [B+1], past [B] int32; S = T + sum(past); sequences one after the
//           other, in k and v past tokens first; Q a multiple of G; D <= 6080
// Layout    steps in elements between tokens and heads as named, elements of a head side by side
// Roofline  flops = 4*Q*D*pairs on CUDA cores, keys and values read again for every query: bound by load issue
// Launch    grid (T, Q), block (128), dynamic shared memory 4*(2*D + 128) B; a block per query and head
// Numerics  float32 throughout: |err| <= 2^-8*|y| + (2^-16 + S*2^-24)*sum(p*|v|)
// Source    Ainslie et al. 2023, §2.2; Milakov and Gimelshein 2018, algorithm 3
#include "common/paged.cuh"
#include "common/row_attention.cuh"

extern "C" __global__ __launch_bounds__(ROW_ATTENTION_THREADS)
void gqa_prefill_attention_generic_bf16(bf16* out, const bf16* q, const bf16* k, const bf16* v, const int* starts,
                                        const int* past, int B, int group, int D, int64_t qToken, int64_t qHead,
                                        int64_t kToken, int64_t kHead, int64_t vToken, int64_t vHead, int64_t outToken,
                                        int64_t outHead, float scale) {
    const int64_t t = blockIdx.x;
    const int64_t head = blockIdx.y;
    const int sequence = sequenceOf(starts, B, t);
    const int64_t context = contextStart(starts, past, sequence);
    const int keys = past[sequence] + t - starts[sequence] + 1;
    const bf16* headKeys = k + context * kToken + head / group * kHead;
    const bf16* headValues = v + context * vToken + head / group * vHead;
    attendRow(
        out + t * outToken + head * outHead, q + t * qToken + head * qHead, D, D, keys, scale,
        [&](int64_t s, int d) { return __bfloat162float(headKeys[s * kToken + d]); },
        [&](int64_t s, int d) { return __bfloat162float(headValues[s * vToken + d]); });
}
