// gqa_prefill_attention: causal attention of grouped queries, head dimensions 128 and 256.
//
// Math      score[i,h,s] = scale * (q[i,h,:] . k[s,h/group,:]) for s <= past + i; out[i,h,:] =
//           sum_s softmax_s(score[i,h])[s] * v[s,h/group,:], i and s counted within a sequence; scale > 0
// Shapes    q, out [T,Q,D], k, v [S,G,D], starts [B+1], past [B] int32; D 128 or 256; S = T + sum(past); Q = G*group;
//           sequences one after the other, in k and v past tokens first; any T, G, group, B, past. Values are finite
// Layout    steps in elements between tokens and heads as named, elements of a head side by side; those of out are
//           multiples of 2 and its pointer of 4 bytes. q, k, v: maps of rows of all heads, boxes of 64 columns and 128
//           rows (k, v at D 256: 80) in the 128-byte swizzle; their steps between tokens are multiples of 8, pointers
//           of 16 bytes
// Roofline  flops = 4*Q*D*pairs with pairs = sum_b(n*past + n*(n+1)/2), bytes = 4*D*(T*Q + S*G): compute-bound above
//           about 500 tokens
// Launch    grid (ceil(longest/128), Q, B), longest = most new tokens of a sequence; block (384); dynamic shared memory
//           164936 B at D 128, 230472 B at D 256 (attribute to be raised). Blocks as common/prefill.cuh tells, stages
//           of 128 keys, at D 256 of 80
// Numerics  probabilities rounded to bf16, scores and sums in float32: |err| <= 2^-8*|y| + (2^-8 + n*2^-24)*sum(p*|v|)
// Source    Ainslie et al. 2023, §2.2; Dao et al. 2022, algorithm 1; Shah et al. 2024, §3
#include "common/prefill.cuh"

constexpr float LOG2E = 1.4426950408889634f;

static_assert(sizeof(PrefillShared<2, 2, 128>) + 1024 == 164936 && sizeof(PrefillShared<4, 4, 80>) + 1024 == 230472,
              "as the header says");

struct Grouped {
    const CUtensorMap &q, &k, &v;
    int firstQuery, firstKey, firstValue; // columns where the head's begin

    __device__ __forceinline__ void query(int box, uint32_t to, int row, Barrier& full) const {
        copyBox(to, q, full, firstQuery + box * BOX_COLUMNS, row, cachePolicy(Keep::SHORT));
    }

    __device__ __forceinline__ void key(int box, uint32_t to, int row, Barrier& full) const {
        copyBox(to, k, full, firstKey + box * BOX_COLUMNS, row, cachePolicy(Keep::LONG));
    }

    __device__ __forceinline__ void value(int box, uint32_t to, int row, Barrier& full) const {
        copyBox(to, v, full, firstValue + box * BOX_COLUMNS, row, cachePolicy(Keep::LONG));
    }
};

#define GQA_PREFILL_ATTENTION(NAME, BOXES, KEYS)                                                                       \
    extern "C" __global__ __launch_bounds__(3 * WARPGROUP, 1) void NAME(                                               \
        const __grid_constant__ CUtensorMap q, const __grid_constant__ CUtensorMap k,                                  \
        const __grid_constant__ CUtensorMap v, bf16* out, const int* starts, const int* past, int group, int qHead,    \
        int kHead, int vHead, int64_t outToken, int64_t outHead, float scale) {                                        \
        const int head = blockIdx.y, kvHead = blockIdx.y / group;                                                      \
        prefill<BOXES, BOXES, KEYS>(out, outToken, outHead, starts, past, scale * LOG2E,                               \
                                    Grouped{q, k, v, head * qHead, kvHead * kHead, kvHead * vHead});                   \
    }

GQA_PREFILL_ATTENTION(gqa_prefill_attention_d128_bf16, 2, 128)
GQA_PREFILL_ATTENTION(gqa_prefill_attention_d256_bf16, 4, 80)
