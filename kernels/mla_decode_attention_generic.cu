// mla_decode_attention_generic: mla_decode_attention for any row of R+D elements, steps and alignments, slowly.
//
// Math      score[i,h,s] = scale * (q[i,h,:] . cache[row(s),:]) for s <= past + i; out[i,h,:] =
//           sum_s softmax_s(score[i,h])[s] * cache[row(s),0:R]; i and s counted within a sequence, whose own tokens are
//           in the cache already
// Shapes    q [T,Q,width] and cache [pages, pageTokens, width] both bf16 or both e4m3 with scale 1, out [T,Q,R], R <= width,
//           starts [B+1], past [B], pageTable [B, tablePages] int32; width + R <= 12160
// Layout    steps in elements between tokens and heads as named, elements of a head side by side; cache and tables are
//           contiguous
// Roofline  flops = 2*Q*(width+R)*pairs on CUDA cores, keys read again for every query and head: bound by load issue
// Launch    grid (T, Q), block (128), dynamic shared memory 4*(width + R + 128) B; a block per query and head
// Numerics  float32 throughout: |err| <= 2^-8*|y| + (2^-16 + S*2^-24)*sum(p*|v|)
// Source    DeepSeek-AI 2024 (DeepSeek-V2), §2.1; Milakov and Gimelshein 2018, algorithm 3
#include "common/latent.cuh"
#include "common/paged.cuh"
#include "common/row_attention.cuh"

template <class C>
static __device__ void decode(bf16* out, const C* q, const C* cache, const Paged& paged, int width, int R,
                              int64_t qToken, int64_t qHead, int64_t outToken, int64_t outHead, float scale) {
    const int64_t t = blockIdx.x;
    const int64_t head = blockIdx.y;
    const int sequence = sequenceOf(paged.starts, paged.sequences, t);
    const int keys = paged.past[sequence] + t - paged.starts[sequence] + 1;
    auto element = [&](int s, int d) {
        float v[1];
        load(v, cache + paged.row(sequence, s) * width + d);
        return v[0];
    };
    attendRow(out + t * outToken + head * outHead, q + t * qToken + head * qHead, width, R, keys, scale, element,
              element);
}

extern "C" __global__ __launch_bounds__(ROW_ATTENTION_THREADS)
void mla_decode_attention_generic_bf16(bf16* out, const bf16* q, const bf16* cache, const int* starts, const int* past,
                                       const int* pageTable, int B, int tablePages, int pageTokens, int width, int R,
                                       int64_t qToken, int64_t qHead, int64_t outToken, int64_t outHead, float scale) {
    decode(out, q, cache, Paged{starts, past, pageTable, B, tablePages, pageTokens}, width, R, qToken, qHead, outToken,
           outHead, scale);
}

extern "C" __global__ __launch_bounds__(ROW_ATTENTION_THREADS)
void mla_decode_attention_generic_e4m3(bf16* out, const e4m3* q, const e4m3* cache, const int* starts, const int* past,
                                       const int* pageTable, int B, int tablePages, int pageTokens, int width, int R,
                                       int64_t qToken, int64_t qHead, int64_t outToken, int64_t outHead, float scale) {
    decode(out, q, cache, Paged{starts, past, pageTable, B, tablePages, pageTokens}, width, R, qToken, qHead, outToken,
           outHead, scale);
}
