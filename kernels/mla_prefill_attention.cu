// mla_prefill_attention: causal attention of MLA in its expanded form, head dimensions 192 = 128 + 64 and 128.
//
// Math      score[i,s] = scale * (q[i,h,0:128] . kv[s,h,0:128] + q[i,h,128:192] . kRope[s,:]) for s <= past + i;
//           out[i,h,:] = sum_s softmax_s(score[i,:])[s] * kv[s,h,128:256], i and s counted within a sequence; scale > 0
// Shapes    q [T,Q,192], kv [S,Q,256], kRope [S,64], out [T,Q,128], starts [B+1], past [B] int32; S = T + sum(past);
//           sequences one after the other, in kv and kRope past tokens first; any T, Q, B, past. Values are finite
// Layout    steps in elements between tokens and heads as named, elements of a head side by side; those of out are
//           multiples of 2 and its pointer of 4 bytes. q, kv, kRope: maps of rows of all heads, boxes of 64 columns and
//           128 rows in the 128-byte swizzle; their steps between tokens are multiples of 8, pointers of 16 bytes
// Roofline  flops = 640*Q*pairs with pairs = sum_b(n*past + n*(n+1)/2), bytes = 2*(T*Q*320 + S*(Q*256 + 64)):
//           compute-bound above about 500 tokens
// Launch    grid (min(132, tiles*Q*B)), block (384); dynamic shared memory 214176 B (attribute to be raised). Blocks as
//           common/prefill.cuh tells, stages of 128 keys; tiles = ceil(longest/128), longest = most new tokens of a
//           sequence; taken [2] int32 zeros, left as zeros; headGroup 1 .. Q, so many heads as have no more than 16 MiB
//           of kv
// Numerics  probabilities rounded to bf16, scores and sums in float32: |err| <= 2^-8*|y| + (2^-8 + n*2^-24)*sum(p*|v|)
// Source    DeepSeek-AI 2024 (DeepSeek-V2), §2.1; Dao et al. 2022, algorithm 1; Shah et al. 2024, §3
#include "common/prefill.cuh"

constexpr int KEYS = 128; // of a stage
constexpr float LOG2E = 1.4426950408889634f;
static_assert(sizeof(PrefillShared<3, 2, KEYS>) + 1024 == 214176, "as the header says");

struct Expanded {
    const CUtensorMap &q, &kv, &kRope;
    int qHead, kvHead;

    __device__ __forceinline__ void query(int head, int box, uint32_t to, int row, Barrier& full) const {
        copyBox(to, q, full, head * qHead + box * BOX_COLUMNS, row, cachePolicy(Keep::SHORT));
    }

    __device__ __forceinline__ void key(int head, int box, uint32_t to, int row, Barrier& full) const {
        if (box < 2) {
            copyBox(to, kv, full, head * kvHead + box * BOX_COLUMNS, row, cachePolicy(Keep::LONG));
        } else {
            copyBox(to, kRope, full, 0, row, cachePolicy(Keep::LONG));
        }
    }

    __device__ __forceinline__ void value(int head, int box, uint32_t to, int row, Barrier& full) const {
        copyBox(to, kv, full, head * kvHead + (2 + box) * BOX_COLUMNS, row, cachePolicy(Keep::LONG));
    }
};

extern "C" __global__ __launch_bounds__(3 * WARPGROUP, 1)
void mla_prefill_attention_d192_bf16(const __grid_constant__ CUtensorMap q, const __grid_constant__ CUtensorMap kv,
                                     const __grid_constant__ CUtensorMap kRope, bf16* out, const int* starts,
                                     const int* past, int* taken, int tiles, int Q, int B, int headGroup, int qHead,
                                     int kvHead, int64_t outToken, int64_t outHead, float scale) {
    prefill<3, 2, KEYS>(out, outToken, outHead, scale * LOG2E, {starts, past, taken, tiles, Q, B, headGroup},
                        Expanded{q, kv, kRope, qHead, kvHead});
}
