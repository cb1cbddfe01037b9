// l2_norm: each head divided by its length.
//
// Math      y[t,g,d] = x[t,g,d] * rsqrt(sum_d(x[t,g,d]^2) + eps), accumulated in float32
// Shapes    x, y [T,G,D]; any T, G, D >= 1
// Layout    tokens of x and y lie ldx and ldy elements apart, heads follow each other; 16-byte accesses where pointers,
//           steps and D allow it; y may be x
// Roofline  bytes = 4*T*G*D, flops = 3*T*G*D: bandwidth-bound everywhere
// Launch    grid (ceil(T*G/8)), or half of it for D <= 128, block (256), no dynamic shared memory; a warp, or half of one, for
//           each head
// Numerics  |err| <= (2^-8 + 8*sqrt(D)*2^-24) * |y|
// Source    Yang, Kautz and Hatamizadeh 2024 (Gated Delta Networks), §3.4
#include "common/warp_rows.cuh"

template <int LANES, int W>
static __device__ void head(bf16* y, const bf16* x, int D, float eps) {
    scaleRow<LANES, W, 8 / W>(
        D, [&](int i, float (&v)[W]) { load(v, x + i); }, [&](float squares) { return rsqrtf(squares + eps); },
        [&](int i, float (&v)[W], float factor) {
#pragma unroll
            for (int j = 0; j < W; j++) {
                v[j] *= factor;
            }
            storeAtOnce(y + i, v);
        });
}

extern "C" __global__ __launch_bounds__(256)
void l2_norm_bf16(bf16* y, const bf16* x, int64_t T, int G, int D, int64_t ldx, int64_t ldy, float eps) {
    const WarpRow row = warpRow(T, G, D);
    if (!row.exists) {
        return;
    }
    const bool wide = wideRows(x, ldx, D) && wideRows(y, ldy, D);
    x += row.token * ldx + row.head * D;
    y += row.token * ldy + row.head * D;
    if (wide && D <= HALF_ROW) {
        head<16, 8>(y, x, D, eps);
    } else if (wide) {
        head<32, 8>(y, x, D, eps);
    } else if (D <= HALF_ROW) {
        head<16, 1>(y, x, D, eps);
    } else {
        head<32, 1>(y, x, D, eps);
    }
}
