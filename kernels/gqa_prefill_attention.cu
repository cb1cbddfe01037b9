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
// Launch    grid (min(132, tiles*Q*B)), block (384); dynamic shared memory 165024 B at D 128, 230560 B at D 256
//           (attribute to be raised). Blocks as common/prefill.cuh tells, stages of 128 keys, at D 256 of 80; tiles =
//           ceil(longest/128), longest = most new tokens of a sequence; taken [2] int32 zeros, left as zeros; headGroup
//           1 .. Q, so many heads as have no more than 16 MiB of k and v
// Numerics  probabilities rounded to bf16, scores and sums in float32: |err| <= 2^-8*|y| + (2^-8 + n*2^-24)*sum(p*|v|)
// Source    Ainslie et al. 2023, §2.2; Dao et al. 2022, algorithm 1; Shah et al. 2024, §3
#include "common/prefill.cuh"

constexpr float LOG2E = 1.4426950408889634f;

static_assert(sizeof(PrefillShared<2, 2, 128>) + 1024 == 165024 && sizeof(PrefillShared<4, 4, 80>) + 1024 == 230560,
              "as the header says");

struct Grouped {
    const CUtensorMap &q, &k, &v;
    int group, qHead, kHead, vHead;

    __device__ __forceinline__ void query(int head, int box, uint32_t to, int row, Barrier& full) const {
        copyBox(to, q, full, head * qHead + box * BOX_COLUMNS, row, cachePolicy(Keep::SHORT));
    }

    __device__ __forceinline__ void key(int head, int box, uint32_t to, int row, Barrier& full) const {
        copyBox(to, k, full, head / group * kHead + box * BOX_COLUMNS, row, cachePolicy(Keep::LONG));
    }

    __device__ __forceinline__ void value(int head, int box, uint32_t to, int row, Barrier& full) const {
        copyBox(to, v, full, head / group * vHead + box * BOX_COLUMNS, row, cachePolicy(Keep::LONG));
    }
};

#define GQA_PREFILL_ATTENTION(NAME, BOXES, KEYS)                                                                       \
    extern "C" __global__ __launch_bounds__(3 * WARPGROUP, 1) void NAME(                                               \
        const __grid_constant__ CUtensorMap q, const __grid_constant__ CUtensorMap k,                                  \
        const __grid_constant__ CUtensorMap v, bf16* out, const int* starts, const int* past, int* taken, int tiles,   \
        int Q, int B, int headGroup, int group, int qHead, int kHead, int vHead, int64_t outToken, int64_t outHead,    \
        float scale) {                                                                                                 \
        prefill<BOXES, BOXES, KEYS>(out, outToken, outHead, scale * LOG2E,                                             \
                                    {starts, past, taken, tiles, Q, B, headGroup},                                     \
                                    Grouped{q, k, v, group, qHead, kHead, vHead});                                     \
    }

GQA_PREFILL_ATTENTION(gqa_prefill_attention_d128_bf16, 2, 128)
GQA_PREFILL_ATTENTION(gqa_prefill_attention_d256_bf16, 4, 80)
