// add_rms_norm: residual sum and its root-mean-square normalisation in one pass.
//
// Math      sum[t,h] = bf16(x[t,h] + residual[t,h]);
//           y[t,h] = sum[t,h] * gain[h] * rsqrt(mean_h(sum[t,h]^2) + eps), accumulated in float32
// Shapes    x, residual, sum, y [T,H], gain [H], bf16 or (wide_gain) float32; any T, H >= 1
// Layout    rows lie ldx, ldr, lds and ldy elements apart, elements of a row side by side; sum may be x or residual,
//           y may be x or residual but not sum. 16-byte accesses where pointers and steps allow it
// Roofline  bytes = 2*(4*T*H + H), flops = 5*T*H: bandwidth-bound everywhere
// Launch    grid (T), block (min(512, 32*ceil(H/512))), no dynamic shared memory
// Numerics  sum is exact to half a unit of bf16; |err(y)| <= (2^-8 + 8*sqrt(H)*2^-24) * |y| for that sum
// Source    Zhang and Sennrich 2019, eq. 4
#include "common/rms.cuh"

template <int W, class Gain>
static __device__ void row(
    bf16* sum, bf16* y, const bf16* x, const bf16* residual, const Gain* gain, int H, float eps) {
    auto add = [&](int h, float (&v)[W]) {
        float r[W];
        load(v, x + h);
        load(r, residual + h);
#pragma unroll
        for (int j = 0; j < W; j++) {
            v[j] = rounded(v[j] + r[j]);
        }
        store(sum + h, v);
    };
    auto read = [&](int h, float (&v)[W]) { load(v, sum + h); };
    rmsNormalise<W, 2>(H, gain, eps, add, read, [&](int h, const float (&v)[W]) { store(y + h, v); });
}

template <class Gain>
static __device__ void rows(bf16* sum, bf16* y, const bf16* x, const bf16* residual, const Gain* gain, int H,
                            int64_t ldx, int64_t ldr, int64_t lds, int64_t ldy, float eps) {
    const int64_t t = blockIdx.x;
    const bool wide = wideRows(x, ldx, H) && wideRows(residual, ldr, H) && wideRows(sum, lds, H) &&
                      wideRows(y, ldy, H) && reinterpret_cast<uintptr_t>(gain) % 16 == 0;
    if (wide) {
        row<8>(sum + t * lds, y + t * ldy, x + t * ldx, residual + t * ldr, gain, H, eps);
    } else {
        row<1>(sum + t * lds, y + t * ldy, x + t * ldx, residual + t * ldr, gain, H, eps);
    }
}

extern "C" __global__ __launch_bounds__(512, 3)
void add_rms_norm_bf16(bf16* sum, bf16* y, const bf16* x, const bf16* residual, const bf16* gain, int H,
                       int64_t ldx, int64_t ldr, int64_t lds, int64_t ldy, float eps) {
    rows(sum, y, x, residual, gain, H, ldx, ldr, lds, ldy, eps);
}

extern "C" __global__ __launch_bounds__(512, 3)
void add_rms_norm_wide_gain_bf16(bf16* sum, bf16* y, const bf16* x, const bf16* residual, const float* gain, int H,
                                 int64_t ldx, int64_t ldr, int64_t lds, int64_t ldy, float eps) {
    rows(sum, y, x, residual, gain, H, ldx, ldr, lds, ldy, eps);
}
