// dequant_nvfp4: an NVFP4 matrix as bf16, for products that prefer to read it so.
//
// Math      y[n,k] = e2m1(w[n,k]) * e4m3(blockScales[n, k/16]) * segmentScales[n / segmentRows]
// Shapes    w [N,K/2] bytes, low nibble = even k; blockScales [N,K/16]; segmentScales [ceil(N/segmentRows)]; y [N,K];
//           K % 16 == 0. A stack of experts is one matrix of E*N rows
// Layout    row-major, contiguous; w 8-byte, y 16-byte aligned
// Roofline  bytes = 2.5625*N*K, flops = 2*N*K: bandwidth-bound
// Launch    grid (ceil(N*K/16 / 256)), block (256); a block of 16 elements a thread
// Numerics  element times block scale is exact; y is their float32 product with the segment's scale, rounded to bf16
// Source    NVFP4 as ModelOpt stores it
#include "common/bf16.cuh"
#include "common/nvfp4.cuh"

extern "C" __global__ __launch_bounds__(256)
void dequant_nvfp4_bf16(bf16* __restrict__ y, const uint2* __restrict__ w, const uint8_t* __restrict__ blockScales,
                        const float* __restrict__ segmentScales, long long N, int K, long long segmentRows) {
    const long long block = (long long)blockIdx.x * 256 + threadIdx.x; // range [0, N*K/16)
    if (block >= N * (K / 16)) {
        return;
    }
    const float segment = NVFP4_RANGE * segmentScales[block / (K / 16) / segmentRows];
    const uint32_t scale = BlockScales(blockScales[block]).twice(0);
    const uint2 codes = w[block];
    uint32_t out[8];
#pragma unroll
    for (int i = 0; i < 8; i++) {
        const uint32_t byte = (i < 4 ? codes.x : codes.y) >> (i % 4 * 8) & 0xFF;
        const uint32_t exact = multiplyBf16Pairs(expandCodes(byte), scale);
        out[i] = packBf16(lowBf16(exact) * segment, highBf16(exact) * segment);
    }
    uint4* to = reinterpret_cast<uint4*>(y + block * 16);
    to[0] = make_uint4(out[0], out[1], out[2], out[3]);
    to[1] = make_uint4(out[4], out[5], out[6], out[7]);
}
