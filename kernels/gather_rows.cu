// gather_rows: each token's row once for every expert that takes it.
//
// Math      y[p,:] = x[pairs[p] / k, :] where pairs[p] >= 0; other rows of y are left as they are
// Shapes    x [T,H], pairs [P] int32, y [P,H]; P = T*k >= 1, H >= 1
// Layout    rows of x and y may have gaps (strides in elements); 16-byte copies where H % 8 == 0 and both bases and
//           strides are multiples of 16 bytes, else element by element; y does not overlap x
// Roofline  bytes = 2*T*H + 4*P + 2*P*H, no arithmetic: bandwidth-bound
// Launch    grid (P), block (256); a block per row
// Numerics  copies bits
// Source    DeepSeek-V3 technical report, section 2.1.2: tokens go to their experts
#include "common/bf16.cuh"

extern "C" __global__ __launch_bounds__(256)
void gather_rows_bf16(bf16* __restrict__ y, const bf16* __restrict__ x, const int* __restrict__ pairs, int H, int k,
                      long long xStride, long long yStride) {
    const long long p = blockIdx.x;
    const int pair = pairs[p];
    if (pair < 0) {
        return;
    }
    const bf16* from = x + (long long)(pair / k) * xStride;
    bf16* to = y + p * yStride;
    const bool wide = H % 8 == 0 && ((reinterpret_cast<size_t>(from) | reinterpret_cast<size_t>(to)) & 15) == 0;
    if (wide) {
        for (int i = threadIdx.x; i < H / 8; i += 256) {
            reinterpret_cast<uint4*>(to)[i] = reinterpret_cast<const uint4*>(from)[i];
        }
    } else {
        for (int i = threadIdx.x; i < H; i += 256) {
            to[i] = from[i];
        }
    }
}
