// gqa_prefill_attention
#include "common/prefill.cuh"

constexpr float LOG2E = 1.4426950408889634f;

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
