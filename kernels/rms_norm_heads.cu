// rms_norm_heads: root-mean-square normalisation of each head by itself, with a float32 gain.
//
// Math      y[t,q,d] = x[t,q,d] * gain[d] * rsqrt(mean_d(x[t,q,d]^2) + eps), accumulated in float32
// Shapes    x, y [T,Q,D], gain [D] float32: a zero-centred norm's 1 + w; any T, Q, D >= 1
// Layout    tokens lie xToken and yToken elements apart, heads xHead and yHead; 16-byte accesses where pointers, steps
//           and D allow it; y may be x with the same steps
// Roofline  bytes = 4*T*Q*D + 4*D, flops = 4*T*Q*D: bandwidth-bound everywhere
// Launch    grid (ceil(T*Q/8)), or half of it for D <= 128, block (256), no dynamic shared memory; a warp, or half of one, for
//           each head
// Numerics  |err| <= (2^-8 + 8*sqrt(D)*2^-24) * |y|
// Source    Zhang and Sennrich 2019, eq. 4
#include "common/warp_rows.cuh"

template <int LANES, int W>
static __device__ void head(bf16* y, const bf16* x, const float* gain, int D, float eps) {
    scaleRow<LANES, W, 8 / W>(
        D, [&](int i, float (&v)[W]) { load(v, x + i); }, [&](float squares) { return rsqrtf(squares / D + eps); },
        [&](int i, float (&v)[W], float factor) {
#pragma unroll
            for (int j = 0; j < W; j++) {
                v[j] *= factor * gain[i + j];
            }
            storeAtOnce(y + i, v);
        });
}

extern "C" __global__ __launch_bounds__(256)
void rms_norm_heads_bf16(bf16* y, const bf16* x, const float* gain, int64_t T, int Q, int D, int64_t xToken,
                         int64_t xHead, int64_t yToken, int64_t yHead, float eps) {
    const WarpRow row = warpRow(T, Q, D);
    if (!row.exists) {
        return;
    }
    const bool wide = wideRows(x, xToken, D) && xHead % 8 == 0 && wideRows(y, yToken, D) && yHead % 8 == 0;
    x += row.token * xToken + row.head * xHead;
    y += row.token * yToken + row.head * yHead;
    if (wide && D <= HALF_ROW) {
        head<16, 8>(y, x, gain, D, eps);
    } else if (wide) {
        head<32, 8>(y, x, gain, D, eps);
    } else if (D <= HALF_ROW) {
        head<16, 1>(y, x, gain, D, eps);
    } else {
        head<32, 1>(y, x, gain, D, eps);
    }
}
