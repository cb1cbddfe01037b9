// add: sum of two matrices.
//
// Math      y[t,h] = bf16(a[t,h] + b[t,h])
// Shapes    a, b, y [T,H]; any T, H >= 1
// Layout    rows lie lda, ldb and ldy elements apart, elements of a row side by side; y may be a or b. 16-byte
//           accesses where pointers and steps allow it
// Roofline  bytes = 6*T*H, flops = T*H: bandwidth-bound everywhere
// Launch    grid (T, ceil(H/2048)), block (256), no dynamic shared memory
// Numerics  exact to half a unit of bf16
// Source    IEEE 754 addition, rounded to nearest even
#include "common/rows.cuh"

template <int W>
static __device__ void row(bf16* y, const bf16* a, const bf16* b, int H) {
    for (int h = (blockIdx.y * blockDim.x + threadIdx.x) * W; h < H; h += gridDim.y * blockDim.x * W) {
        float u[W], v[W];
        load(u, a + h);
        load(v, b + h);
#pragma unroll
        for (int j = 0; j < W; j++) {
            u[j] += v[j];
        }
        store(y + h, u);
    }
}

extern "C" __global__ __launch_bounds__(256)
void add_bf16(bf16* y, const bf16* a, const bf16* b, int H, int64_t lda, int64_t ldb, int64_t ldy) {
    const int64_t t = blockIdx.x;
    if (wideRows(a, lda, H) && wideRows(b, ldb, H) && wideRows(y, ldy, H)) {
        row<8>(y + t * ldy, a + t * lda, b + t * ldb, H);
    } else {
        row<1>(y + t * ldy, a + t * lda, b + t * ldb, H);
    }
}
