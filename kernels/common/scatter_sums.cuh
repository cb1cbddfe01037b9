// Sums over some lanes of a warp that all of them share out.
#pragma once

// Sums each of W values over the PARTS lanes of a warp that hold the same columns; of them, lane l ends with the W / PARTS
// from l / (32 / PARTS) * (W / PARTS) on, in the first places.
template <int PARTS, int W>
__device__ __forceinline__ void scatterSums(float (&v)[W]) {
#pragma unroll
    for (int width = W / 2, distance = 16; width >= W / PARTS; width /= 2, distance /= 2) {
        const bool upper = (threadIdx.x & distance) != 0;
#pragma unroll
        for (int j = 0; j < width; j++) {
            const float sent = upper ? v[j] : v[j + width];
            const float kept = upper ? v[j + width] : v[j];
            v[j] = kept + __shfl_xor_sync(0xFFFFFFFFu, sent, distance);
        }
    }
}
