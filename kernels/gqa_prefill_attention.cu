// gqa_prefill_attention
#include "common/prefill.cuh"

constexpr float LOG2E = 1.4426950408889634f;

struct Grouped {
    const CUtensorMap &q, &k, &v;
    int head, kvHead;

    __device__ __forceinline__ void query(int box, uint32_t to, int row, const Barrier& full) const {
        copyBox(to, q, box * BOX_COLUMNS, head, row, full);
    }

    __device__ __forceinline__ void key(int box, uint32_t to, int row, const Barrier& full) const {
        copyBox(to, k, box * BOX_COLUMNS, kvHead, row, full);
    }

    __device__ __forceinline__ void value(int box, uint32_t to, int row, const Barrier& full) const {
        copyBox(to, v, box * BOX_COLUMNS, kvHead, row, full);
    }
};

#define GQA_PREFILL_ATTENTION(NAME, BOXES, KEYS)                                                                       \
    extern "C" __global__ __launch_bounds__(3 * WARPGROUP, 1) void NAME(                                               \
        const __grid_constant__ CUtensorMap q, const __grid_constant__ CUtensorMap k,                                  \
        const __grid_constant__ CUtensorMap v, bf16* out, const int* starts, const int* past, int group,               \
        int64_t outToken, int64_t outHead, float scale) {                                                              \
        prefill<BOXES, BOXES, KEYS>(                                                                                   \
            out, outToken, outHead, starts, past, scale * LOG2E,                                                       \
            Grouped{q, k, v, static_cast<int>(blockIdx.y), static_cast<int>(blockIdx.y) / group});                     \
    }

GQA_PREFILL_ATTENTION(gqa_prefill_attention_d128_bf16, 2, 128)
GQA_PREFILL_ATTENTION(gqa_prefill_attention_d256_bf16, 4, 80)
