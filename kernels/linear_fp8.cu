// linear_fp8: a dense product of E4M3 operands, activations with a scale for 128 elements, weights for 128 x 128.
//
// Math      y[t,n] = sum_b xScales[b,t] * scales[n/128,b] * (sum_k x[t,k] * w[n,k] over k in block b = k / 128)
// Shapes    x [T,K], w [N,K] E4M3, xScales [ceil(K/128), T], scales [ceil(N/128), ceil(K/128)] float32, y [T,N] bf16;
//           T, N >= 1, K % 16 == 0
// Layout    row-major; x, xScales and w come as tensor maps (common/product_plan.cuh: boxes of 128 x W, W x 1 and 128 x
//           128; 128-byte swizzle but for the scales), so bases and row strides are multiples of 16 bytes; rows of y
//           may have gaps (stride in elements), other strides or alignment than 16 bytes are written element by element
// Roofline  bytes = N*K + T*K + T*N*2, flops = 2*T*N*K: memory-bound below T = 295 on an H100
// Launch    linear_fp8_t<W>_r<R>_s<S>: tiles of W tokens and R rows of w; S blocks of a cluster share K, the cluster
//           size is compiled in. W*R/128 <= 64: block (288), dynamic shared 115712 bytes, two blocks a multiprocessor;
//           else block (384), 232448 bytes, one. S = 1: any grid, best one resident wave, walks the tiles; S > 1: grid
//           (S * ceil(N/R) * ceil(T/W))
// Numerics  the tensor cores sum 128 products keeping about 14 bits, blocks are added in float32: |err| <= 2^-8 * |y| +
//           2^-12 * sum_k |x * w|, the operands' scales included; the same bits every time
// Source    DeepSeek-V3 technical report, section 3.3; PTX ISA, wgmma.mma_async
#include "common/dense_product.cuh"

#define LINEAR_FP8(TOKENS, TILES, ROWS, SPLITS)                                                                        \
    extern "C" __global__ __cluster_dims__(SPLITS, 1, 1) PRODUCT_BOUNDS(Fp8Weights<false>, false, TOKENS, TILES)       \
    void linear_fp8_t##TOKENS##_r##ROWS##_s##SPLITS(                                                                   \
        bf16* __restrict__ y, const __grid_constant__ CUtensorMap x, const __grid_constant__ CUtensorMap xScales,      \
        const __grid_constant__ CUtensorMap w, const float* __restrict__ scales, int T, int N, int K,                  \
        long long yStride) {                                                                                           \
        multiplyDense<ProductPlan<Fp8Weights<false>, false, TOKENS, TILES>, SPLITS>(                                   \
            Fp8Weights<false>(w, scales, N, K), ActivationMaps{x, &xScales}, T, N, K, y, yStride);                     \
    }
#define LINEAR_FP8_SPLITS(TOKENS)                                                                                      \
    LINEAR_FP8(TOKENS, 1, 128, 1)                                                                                      \
    LINEAR_FP8(TOKENS, 1, 128, 2)                                                                                      \
    LINEAR_FP8(TOKENS, 1, 128, 4)                                                                                      \
    LINEAR_FP8(TOKENS, 1, 128, 8)

LINEAR_FP8_SPLITS(8)
LINEAR_FP8_SPLITS(16)
LINEAR_FP8_SPLITS(32)
LINEAR_FP8_SPLITS(64)
LINEAR_FP8_SPLITS(128)
LINEAR_FP8(128, 2, 256, 1)
LINEAR_FP8(128, 2, 256, 2)
LINEAR_FP8(128, 2, 256, 4)
