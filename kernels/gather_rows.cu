// gather_rows: each token's row once for every expert that takes it.
//
// Math      y[p,:] = x[pairs[p] / k, :] where pairs[p] >= 0; other rows of y are left as they are; e4m3: yScales[b,p] =
//           xScales[b,pairs[p]/k], too
// Shapes    x [T,H], pairs [P] int32, y [P,H]; P = T*k >= 1, H >= 1; e4m3: H % 16 == 0, scales [ceil(H/128), T or P] float32
// Layout    rows of x and y may have gaps (strides in elements); 16-byte copies where H % 8 == 0 and both bases and
//           strides are multiples of 16 bytes, else element by element; y does not overlap x. e4m3: bases and strides of
//           codes are multiples of 16 bytes; rows of scales lie xScaleStride and yScaleStride apart
// Roofline  bytes = 2*T*H + 4*P + 2*P*H, e4m3 (T+P)*(H + H/32) + 4*P, no arithmetic: bandwidth-bound
// Launch    bf16: grid (P), block (256); a block per row. e4m3: grid (ceil(P/8)), block (288); a warp per row, and one for
//           the scales of all eight, which fill a sector for each block of 128
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

constexpr int ROWS = 8; // e4m3: rows of a block

// A row by one warp, seven vectors of each thread in flight.
static __device__ __forceinline__ void copyRow(uint4* __restrict__ to, const uint4* __restrict__ from, int vectors) {
    constexpr int FLIGHT = 7;
    for (int i = threadIdx.x % 32; i < vectors; i += 32 * FLIGHT) {
        uint4 v[FLIGHT];
#pragma unroll
        for (int j = 0; j < FLIGHT; j++) {
            if (i + 32 * j < vectors) {
                v[j] = from[i + 32 * j];
            }
        }
#pragma unroll
        for (int j = 0; j < FLIGHT; j++) {
            if (i + 32 * j < vectors) {
                to[i + 32 * j] = v[j];
            }
        }
    }
}

extern "C" __global__ __launch_bounds__(32 * (ROWS + 1))
void gather_rows_e4m3(uint8_t* __restrict__ y, float* __restrict__ yScales, const uint8_t* __restrict__ x,
                      const float* __restrict__ xScales, const int* __restrict__ pairs, int P, int H, int k,
                      long long xStride, long long xScaleStride, long long yStride, long long yScaleStride) {
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const long long p = (long long)blockIdx.x * ROWS + (warp < ROWS ? warp : lane % ROWS);
    const int pair = p < P ? pairs[p] : -1;
    if (pair < 0) {
        return;
    }
    const int t = pair / k;
    if (warp < ROWS) {
        copyRow(reinterpret_cast<uint4*>(y + p * yStride), reinterpret_cast<const uint4*>(x + t * xStride), H / 16);
        return;
    }
    const int blocks = (H + 127) / 128;
#pragma unroll 7
    for (int b = lane / ROWS; b < blocks; b += 32 / ROWS) {
        yScales[b * yScaleStride + p] = xScales[b * xScaleStride + t];
    }
}
