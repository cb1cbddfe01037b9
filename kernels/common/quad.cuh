// Words of the four lanes that share a row of accumulators.
#pragma once

#include <cstdint>

// Lane t of a quad has word t of each of four chunks, and gets the four words of chunk t. All lanes of the warp take part.
__device__ __forceinline__ void gatherChunk(uint32_t (&word)[4]) {
    const bool odd = threadIdx.x & 1, high = threadIdx.x & 2;
#pragma unroll
    for (int m = 0; m < 4; m += 2) { // then words 2*(t/2) and 2*(t/2)+1 of chunk m + t%2
        const uint32_t got = __shfl_xor_sync(0xFFFFFFFFu, odd ? word[m] : word[m + 1], 1);
        word[m] = odd ? got : word[m];
        word[m + 1] = odd ? word[m + 1] : got;
    }
#pragma unroll
    for (int i = 0; i < 2; i++) {
        const uint32_t got = __shfl_xor_sync(0xFFFFFFFFu, high ? word[i] : word[2 + i], 2);
        word[i] = high ? got : word[i];
        word[2 + i] = high ? word[2 + i] : got;
    }
}
