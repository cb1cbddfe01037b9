// Scalars of gates.
#pragma once

// log(1 + e^x) without overflow.
__device__ __forceinline__ float softplus(float x) {
    return fmaxf(x, 0) + log1pf(expf(-fabsf(x)));
}

__device__ __forceinline__ float sigmoid(float x) {
    const float e = __expf(-fabsf(x)); // below 1 on both sides, so nothing overflows
    return __fdividef(x >= 0 ? 1 : e, 1 + e);
}
