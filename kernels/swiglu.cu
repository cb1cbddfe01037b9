// swiglu: gated activation of a gated MLP.
//
// Math      y[t,i] = g / (1 + exp(-g)) * x[t,I+i] with g = x[t,i]
// Shapes    x [T,2I], y [T,I]; any T, I >= 1
// Layout    rows lie ldx and ldy elements apart, elements of a row side by side; 16-byte accesses where pointers, steps
//           and I allow it. active: address of one int32 that holds the rows in use, or null where all T are; rows
//           beyond are neither read nor written
// Roofline  bytes = 6*T*I, flops = 5*T*I: bandwidth-bound everywhere
// Launch    grid (T, ceil(I/2048)), block (256), no dynamic shared memory
// Numerics  |err| <= (2^-8 + (|g| + 4)*2^-22) * |y|: exponential and division are the fast ones
// Source    Shazeer 2020, eq. 6
#include "common/rows.cuh"
#include "common/swiglu.cuh"

template <int W>
static __device__ void row(bf16* y, const bf16* x, int I) {
    for (int i = (blockIdx.y * blockDim.x + threadIdx.x) * W; i < I; i += gridDim.y * blockDim.x * W) {
        float gate[W], up[W];
        load(gate, x + i);
        load(up, x + I + i);
#pragma unroll
        for (int j = 0; j < W; j++) {
            gate[j] = swiglu(gate[j], up[j]);
        }
        store(y + i, gate);
    }
}

extern "C" __global__ __launch_bounds__(256)
void swiglu_bf16(bf16* y, const bf16* x, const int* active, int I, int64_t ldx, int64_t ldy) {
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
