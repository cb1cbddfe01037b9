// Sums over a warp and over a block.
#pragma once

template <class V>
__device__ __forceinline__ V warpSum(V v) {
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2) {
        v += __shfl_xor_sync(0xFFFFFFFFu, v, distance);
    }
    return v;
}

// The sum over all threads, in every thread. Block: whole warps, at most 32. Holds two block barriers.
template <class V>
__device__ __forceinline__ V blockSum(V v) {
    __shared__ V partial[32];
    v = warpSum(v);
    if (threadIdx.x % 32 == 0) {
        partial[threadIdx.x / 32] = v;
    }
    __syncthreads();
    v = threadIdx.x % 32 < blockDim.x / 32 ? partial[threadIdx.x % 32] : V(0);
    v = warpSum(v);
    __syncthreads(); // `partial` may be used again
    return v;
}
