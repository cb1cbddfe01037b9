// gqa_decode_attention_generic: gqa_decode_attention for any head dimension, steps, alignments and pages, slowly.
//
// Math      score[i,h,s] = scale * (q[i,h,:] . cache[row(s),h/(Q/G),:]) for s <= past + i; out[i,h,:] =
//           sum_s softmax_s(score[i,h])[s] * cache[row(s),G + h/(Q/G),:]; i and s counted within a sequence, whose own
//           tokens are in the cache already
// Shapes    q, out [T,Q,D], cache [pages, pageTokens, 2*G, D] bf16 or e4m3 with scale 1, keys of all heads before their
//           values, starts [B+1], past [B], pageTable [B, tablePages] int32; Q a multiple of G; D <= 6080
// Layout    steps in elements between tokens and heads as named, elements of a head side by side; cache and tables are
//           contiguous
// Roofline  flops = 4*Q*D*pairs on CUDA cores, keys read again for every query and head: bound by load issue
// Launch    grid (T, Q), block (128), dynamic shared memory 4*(2*D + 128) B; a block per query and head
// Numerics  float32 throughout: |err| <= 2^-8*|y| + (2^-16 + S*2^-24)*sum(p*|v|)
// Source    Ainslie et al. 2023, §2.2; Milakov and Gimelshein 2018, algorithm 3
#include "common/latent.cuh"
#include "common/paged.cuh"
#include "common/row_attention.cuh"

template <class C>
static __device__ void decode(bf16* out, const bf16* q, const C* cache, const Paged& paged, int group, int G, int D,
                              int64_t qToken, int64_t qHead, int64_t outToken, int64_t outHead, float scale) {
    const int64_t t = blockIdx.x;
    const int64_t head = blockIdx.y;
    const int sequence = sequenceOf(paged.starts, paged.sequences, t);
    const int keys = paged.past[sequence] + t - paged.starts[sequence] + 1;
    auto element = [&](int s, int64_t column) {
        float v[1];
        load(v, cache + paged.row(sequence, s) * 2 * G * D + column);
        return v[0];
    };
    attendRow(
        out + t * outToken + head * outHead, q + t * qToken + head * qHead, D, D, keys, scale,
        [&](int s, int d) { return element(s, head / group * D + d); },
        [&](int s, int d) { return element(s, (G + head / group) * D + d); });
}

extern "C" __global__ __launch_bounds__(ROW_ATTENTION_THREADS)
void gqa_decode_attention_generic_bf16(bf16* out, const bf16* q, const bf16* cache, const int* starts, const int* past,
                                       const int* pageTable, int B, int tablePages, int pageTokens, int group, int G,
                                       int D, int64_t qToken, int64_t qHead, int64_t outToken, int64_t outHead,
                                       float scale) {
    decode(out, q, cache, Paged{starts, past, pageTable, B, tablePages, pageTokens}, group, G, D, qToken, qHead,
           outToken, outHead, scale);
}

extern "C" __global__ __launch_bounds__(ROW_ATTENTION_THREADS)
void gqa_decode_attention_generic_e4m3(bf16* out, const bf16* q, const e4m3* cache, const int* starts, const int* past,
                                       const int* pageTable, int B, int tablePages, int pageTokens, int group, int G,
                                       int D, int64_t qToken, int64_t qHead, int64_t outToken, int64_t outHead,
                                       float scale) {
    decode(out, q, cache, Paged{starts, past, pageTable, B, tablePages, pageTokens}, group, G, D, qToken, qHead,
           outToken, outHead, scale);
}
