// dequant_fp8_block: an E4M3 matrix with one scale a block as bf16, for products that prefer to read it so.
//
// Math      y[e,n,k] = e4m3(w[e,n,k]) * scales[e, n/blockRows, k/blockColumns]
// Shapes    w [E,N,K], scales [E, ceil(N/blockRows), ceil(K/blockColumns)] float32, y [E,N,K]; any sizes >= 1
// Layout    row-major, contiguous; 16-element vectors where K and blockColumns are multiples of 16 and w and y are
//           16-byte aligned, else element by element
// Roofline  bytes = 3*E*N*K, flops = E*N*K: bandwidth-bound
// Launch    grid (N, ceil(K/4096), E), block (256); 16 elements a thread
// Numerics  the float32 product rounded to bf16
// Source    DeepSeek-V3 technical report, section 3.3.1
#include <cuda_fp8.h>

#include "common/bf16.cuh"

__device__ float fromE4m3(uint8_t bits) {
    return __half2float(__half(__nv_cvt_fp8_to_halfraw(bits, __NV_E4M3)));
}

extern "C" __global__ __launch_bounds__(256)
void dequant_fp8_block_bf16(bf16* __restrict__ y, const uint8_t* __restrict__ w, const float* __restrict__ scales,
                            int N, int K, int blockRows, int blockColumns) {
    const int k = (blockIdx.y * 256 + threadIdx.x) * 16; // range [0, K)
    if (k >= K) {
        return;
    }
    const int n = blockIdx.x, e = blockIdx.z;
    const int scaleRows = (N + blockRows - 1) / blockRows, scaleColumns = (K + blockColumns - 1) / blockColumns;
    const float* scale = scales + ((long long)e * scaleRows + n / blockRows) * scaleColumns;
    const long long at = ((long long)e * N + n) * K + k;
    if (K % 16 == 0 && blockColumns % 16 == 0 &&
        ((reinterpret_cast<size_t>(w) | reinterpret_cast<size_t>(y)) & 15) == 0) {
        const uint4 bytes = *reinterpret_cast<const uint4*>(w + at);
        const uint32_t words[4] = {bytes.x, bytes.y, bytes.z, bytes.w};
        const float factor = scale[k / blockColumns];
        uint32_t out[8];
#pragma unroll
        for (int i = 0; i < 8; i++) {
            const uint32_t two = words[i / 2] >> (i % 2 * 16);
            out[i] = packBf16(fromE4m3(two & 0xFF) * factor, fromE4m3(two >> 8 & 0xFF) * factor);
        }
        uint4* to = reinterpret_cast<uint4*>(y + at);
        to[0] = make_uint4(out[0], out[1], out[2], out[3]);
        to[1] = make_uint4(out[4], out[5], out[6], out[7]);
        return;
    }
    for (int i = 0; i < 16 && k + i < K; i++) {
        y[at + i] = __float2bfloat16_rn(fromE4m3(w[at + i]) * scale[(k + i) / blockColumns]);
    }
}
