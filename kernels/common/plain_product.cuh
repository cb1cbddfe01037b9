// Products on the CUDA cores that make no demands on shapes, strides or alignment: the way out where the tensor cores'
// tiles do not fit. 64 tokens by 64 columns a block of 256 threads, 4 by 4 a thread, float32 throughout.
#pragma once

#include <cuda_fp8.h>

#include "bf16.cuh"
#include "nvfp4.cuh"

constexpr int PLAIN_TILE = 64;
constexpr int PLAIN_STEP = 16;

// Weight formats: at(n, k) is the value of an element, K the elements of a row.
struct PlainBf16 {
    const bf16* w;
    int K;
    __device__ float at(long long n, int k) const {
        return __bfloat162float(w[n * K + k]);
    }
};

struct PlainF32 {
    const float* w;
    int K;
    __device__ float at(long long n, int k) const {
        return w[n * K + k];
    }
};

struct PlainFp8Block {
    const uint8_t* w;
    const float* scales; // [ceil(N/blockRows), scaleColumns]
    int K, blockRows, blockColumns, scaleColumns;
    __device__ float at(long long n, int k) const {
        return __half2float(__half(__nv_cvt_fp8_to_halfraw(w[n * K + k], __NV_E4M3))) *
               scales[n / blockRows * scaleColumns + k / blockColumns];
    }
};

struct PlainNvfp4 {
    const uint8_t* w;           // [N, K/2], low nibble = even k
    const uint8_t* blockScales; // [N, K/16]
    const float* segmentScales;
    int K, segmentRows;
    __device__ float at(long long n, int k) const {
        const uint32_t scale = BlockScales(blockScales[n * (K / 16) + k / 16]).even;
        const uint32_t product = multiplyBf16Pairs(expandCodes(w[n * (K / 2) + k / 2]), scale << 16 | scale);
        return (k % 2 == 0 ? lowBf16(product) : highBf16(product)) * (NVFP4_RANGE * segmentScales[n / segmentRows]);
    }
};

__device__ inline void storePlain(float* to, float value) {
    *to = value;
}
__device__ inline void storePlain(bf16* to, float value) {
    *to = __float2bfloat16_rn(value);
}

// y[t,n] = sum_k x[t,k] * w[n,k] for t in [0, rows) and the 64 columns from n0 on; GATED: columns are N/2 and
// y = silu(sum with row n) * sum with row N/2 + n.
template <bool GATED, class Weights, class Y>
__device__ void plainProduct(Y* y, long long yStride, const bf16* x, long long xStride, int rows, const Weights& w,
                             int N, int n0) {
    constexpr int HALVES = GATED ? 2 : 1;
    __shared__ float xs[PLAIN_STEP][PLAIN_TILE + 1];
    __shared__ float ws[HALVES][PLAIN_STEP][PLAIN_TILE + 1];
    const int columns = N / HALVES, row = threadIdx.x / 16 * 4, column = threadIdx.x % 16 * 4;
    float sum[HALVES][4][4] = {};
    for (int k0 = 0; k0 < w.K; k0 += PLAIN_STEP) {
        for (int i = threadIdx.x; i < PLAIN_TILE * PLAIN_STEP; i += 256) {
            const int r = i / PLAIN_STEP, k = i % PLAIN_STEP;
            const bool inside = k0 + k < w.K;
            xs[k][r] = inside && r < rows ? __bfloat162float(x[r * xStride + k0 + k]) : 0;
            for (int half = 0; half < HALVES; half++) {
                const bool valid = inside && n0 + r < columns;
                ws[half][k][r] = valid ? w.at((long long)half * columns + n0 + r, k0 + k) : 0;
            }
        }
        __syncthreads();
        for (int k = 0; k < PLAIN_STEP; k++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
#pragma unroll
                for (int j = 0; j < 4; j++) {
#pragma unroll
                    for (int half = 0; half < HALVES; half++) {
                        sum[half][i][j] += xs[k][row + i] * ws[half][k][column + j];
                    }
                }
            }
        }
        __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
#pragma unroll
        for (int j = 0; j < 4; j++) {
            if (row + i < rows && n0 + column + j < columns) {
                const float first = sum[0][i][j];
                const float value = GATED ? first / (1 + __expf(-first)) * sum[HALVES - 1][i][j] : first;
                storePlain(y + (row + i) * yStride + n0 + column + j, value);
            }
        }
    }
}
