// squared_relu: activation of an MLP without a gate.
//
// Math      y[t,i] = max(0, x[t,i])^2
// Shapes    x, y [T,I]; any T, I >= 1
// Layout    rows lie ldx and ldy elements apart, elements of a row side by side; 16-byte accesses where pointers, steps
//           and I allow it; y may be x. active: address of one int32 that holds the rows in use, or null where all T are;
//           rows beyond are neither read nor written
// Roofline  bytes = 4*T*I, flops = 2*T*I: bandwidth-bound everywhere
// Launch    grid (T, ceil(I/2048)), block (256), no dynamic shared memory
// Numerics  rounded once
// Source    So et al. 2021 (Primer), §4
#include "common/rows.cuh"

template <int W>
static __device__ void row(bf16* y, const bf16* x, int I) {
    for (int i = (blockIdx.y * blockDim.x + threadIdx.x) * W; i < I; i += gridDim.y * blockDim.x * W) {
        float v[W];
        load(v, x + i);
#pragma unroll
        for (int j = 0; j < W; j++) {
            v[j] = v[j] <= 0 ? 0 : v[j] * v[j]; // a NaN stays one
        }
        store(y + i, v);
    }
}

extern "C" __global__ __launch_bounds__(256)
void squared_relu_bf16(bf16* y, const bf16* x, const int* active, int I, int64_t ldx, int64_t ldy) {
    const int64_t t = blockIdx.x;
    if (active != nullptr && t >= *active) {
        return;
    }
    if (wideRows(x, ldx, I) && wideRows(y, ldy, I)) {
        row<8>(y + t * ldy, x + t * ldx, I);
    } else {
        row<1>(y + t * ldy, x + t * ldx, I);
    }
}
