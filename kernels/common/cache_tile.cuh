// Tiles of a paged cache on their way to the tensor cores.
#pragma once

#include "attention_products.cuh"
#include "barrier.cuh"
#include "latent.cuh"
#include "paged.cuh"

__device__ inline void storeChunk(uint32_t to, const uint4& v) {
    asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(to), "r"(v.x), "r"(v.y), "r"(v.z), "r"(v.w)
                 : "memory");
}

__device__ inline uint4 loadChunk(uint32_t from) {
    uint4 v;
    asm volatile("ld.shared.v4.b32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
                 : "r"(from)
                 : "memory");
    return v;
}

// Rows of the cache that hold a sequence's keys, in pieces of equally many neighbours; a warp looks 32 of them up at
// once.
struct CachePieces {
    int base = -32;
    int held = 0; // row of piece base + lane

    // Row of the piece of `keys` keys, which divide pageTokens, that starts with `key`; keys from `end` on do not
    // exist. By a whole warp.
    __device__ __forceinline__ int row(const Paged& paged, int sequence, int keys, int key, int end) {
        const int piece = key / keys;
        if (piece - base >= 32) {
            base = piece;
            const int mine = (piece + static_cast<int>(threadIdx.x % 32)) * keys;
            held = mine < end ? static_cast<int>(paged.row(sequence, mine)) : 0;
        }
        return __shfl_sync(0xFFFFFFFFu, held, piece - base);
    }
};

// 16 E4M3 codes as f16, exactly.
__device__ inline void widenToHalf(const uint4& codes, uint4 (&halves)[2]) {
    const uint32_t word[4] = {codes.x, codes.y, codes.z, codes.w};
    uint32_t wide[8];
#pragma unroll
    for (int i = 0; i < 4; i++) {
        asm("{\n.reg .b16 low, high;\nmov.b32 {low, high}, %2;\ncvt.rn.f16x2.e4m3x2 %0, low;\n"
            "cvt.rn.f16x2.e4m3x2 %1, high;\n}"
            : "=r"(wide[2 * i]), "=r"(wide[2 * i + 1])
            : "r"(word[i]));
    }
    halves[0] = make_uint4(wide[0], wide[1], wide[2], wide[3]);
    halves[1] = make_uint4(wide[4], wide[5], wide[6], wide[7]);
}
