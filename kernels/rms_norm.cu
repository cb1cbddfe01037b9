// rms_norm: root-mean-square normalisation over the last axis.
//
// Math      y[t,h] = x[t,h] * gain[h] * rsqrt(mean_h(x[t,h]^2) + eps), accumulated in float32
// Shapes    x [T,H], gain [H], y [T,H]; any T, H >= 1
// Layout    rows of x and y lie ldx and ldy elements apart, elements of a row side by side; y may be x. Rows move in
//           16-byte accesses where pointers and steps allow it, element by element otherwise
// Roofline  bytes = 2*(2*T*H + H), flops = 4*T*H: 1 flop/byte, bandwidth-bound everywhere
// Launch    grid (T), block (min(512, 32*ceil(H/512))), no dynamic shared memory; a block per row, which stays in
//           registers up to H = 16*block where accesses are wide
// Numerics  |err| <= (2^-8 + 8*sqrt(H)*2^-24) * |y|
// Source    Zhang and Sennrich 2019, eq. 4
#include "common/rms.cuh"

template <int W>
static __device__ void row(bf16* y, const bf16* x, const bf16* gain, int H, float eps) {
    auto read = [&](int h, float (&v)[W]) { load(v, x + h); };
    rmsNormalise<W, 2>(H, gain, eps, read, read, [&](int h, const float (&v)[W]) { store(y + h, v); });
}

extern "C" __global__ __launch_bounds__(512, 3)
void rms_norm_bf16(bf16* y, const bf16* x, const bf16* gain, int H, int64_t ldx, int64_t ldy, float eps) {
    const int64_t t = blockIdx.x;
    if (wideRows(x, ldx, H) && wideRows(y, ldy, H) && wideRows(gain, 0, H)) {
        row<8>(y + t * ldy, x + t * ldx, gain, H, eps);
    } else {
        row<1>(y + t * ldy, x + t * ldx, gain, H, eps);
    }
}
