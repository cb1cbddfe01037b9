// combine: experts' results back in token order, each weighed.
//
// Math      y[t,:] = sum_j weights[t,j] * x[slots[t,j], :], j ascending, float32; slots of -1 add nothing
// Shapes    x [P,H], slots [T,k] int32, weights [T,k] float32, y [T,H]; T, k, H >= 1, any P that the slots stay below
// Layout    slots and weights contiguous; rows of x and y may have gaps (strides in elements); 16-byte accesses where
//           H % 8 == 0 and bases and strides are multiples of 16 bytes, else element by element
// Roofline  bytes = 2*T*k*H + 8*T*k + 2*T*H, flops = 2*T*k*H: 1 flop/byte, bandwidth-bound
// Launch    grid (T, ceil(H/2048)), block (256); 8 elements a thread
// Numerics  |err| <= 2^-8 * |y| + k * 2^-24 * sum_j |weights * x|; the same bits every time
// Source    DeepSeek-V3 technical report, equation 12
#include "common/bf16.cuh"

extern "C" __global__ __launch_bounds__(256)
void combine_bf16(bf16* __restrict__ y, const bf16* __restrict__ x, const int* __restrict__ slots,
                  const float* __restrict__ weights, int H, int k, long long xStride, long long yStride) {
    const long long t = blockIdx.x;
    const int h = (blockIdx.y * 256 + threadIdx.x) * 8; // range [0, H)
    if (h >= H) {
        return;
    }
    const size_t places = reinterpret_cast<size_t>(x) | reinterpret_cast<size_t>(y) | (xStride | yStride) * 2;
    const bool wide = H % 8 == 0 && (places & 15) == 0;
    float sum[8] = {};
#pragma unroll 4
    for (int j = 0; j < k; j++) {
        const int slot = slots[t * k + j];
        const float weight = weights[t * k + j];
        if (slot < 0) {
            continue;
        }
        const bf16* row = x + slot * xStride + h;
        if (wide) {
            const uint4 eight = *reinterpret_cast<const uint4*>(row);
            const uint32_t words[4] = {eight.x, eight.y, eight.z, eight.w};
#pragma unroll
            for (int i = 0; i < 4; i++) {
                sum[2 * i] += weight * lowBf16(words[i]);
                sum[2 * i + 1] += weight * highBf16(words[i]);
            }
        } else {
#pragma unroll
            for (int i = 0; i < 8; i++) {
                sum[i] += h + i < H ? weight * __bfloat162float(row[i]) : 0;
            }
        }
    }
    bf16* to = y + t * yStride + h;
    if (wide) {
        *reinterpret_cast<uint4*>(to) = make_uint4(packBf16(sum[0], sum[1]), packBf16(sum[2], sum[3]),
                                                   packBf16(sum[4], sum[5]), packBf16(sum[6], sum[7]));
    } else {
#pragma unroll
        for (int i = 0; i < 8; i++) {
            if (h + i < H) {
                to[i] = __float2bfloat16_rn(sum[i]);
            }
        }
    }
}
