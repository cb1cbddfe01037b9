// Sums of warpgroup products after the wait for them.
#pragma once

// Sums whose products have just been awaited: to the compiler they were known since the products were issued, and it would use
// them before the wait.
template <int N>
__device__ __forceinline__ void settle(float (&sums)[N]) {
#pragma unroll
    for (int i = 0; i < N; i++) {
        asm volatile("" : "+f"(sums[i])::"memory");
    }
}
