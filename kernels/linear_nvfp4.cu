// linear_nvfp4: a dense product with NVFP4 weights on the tensor cores, weights expanded in registers (W4A16).
//
// Math      y[t,n] = segmentScales[n / (N/segments)] * sum_k x[t,k] * e2m1(w[n,k]) * e4m3(blockScales[n, k/16])
// Shapes    x [T,K] bf16, w and block scales in tiles as tile_nvfp4_plain makes them, segmentScales [segments], y [T,N]
//           bf16; T, N >= 1, K % 16 == 0, N % segments == 0
// Layout    x comes as a tensor map of boxes of 64 elements of W rows, 128-byte swizzle, so its base and row stride are
//           multiples of 16 bytes; tiles 16-byte aligned; rows of y may have gaps (stride in elements), other strides
//           or alignment than 16 bytes are written element by element
// Roofline  bytes = 0.5625*N*K + 2*T*(K+N), flops = 2*T*N*K: memory-bound below T = 83 on an H100
// Launch    linear_nvfp4_t<W>_r<R>_s<S>: tiles of W tokens and R rows of w; S blocks of a cluster share K, the cluster
//           size is compiled in. W*R/128 <= 64: block (288), dynamic shared 115712 bytes, two blocks a multiprocessor;
//           else block (384), 232448 bytes, one. S = 1: any grid, best one resident wave, walks the tiles; S > 1: grid
//           (S * ceil(N/R) * ceil(T/W)). From T = 1280 on dequant_nvfp4 and cuBLASLt take less time
// Numerics  operands are exact in bf16; |err| <= 2^-8 * |y| + 4 * sqrt(K) * 2^-23 * sum_k |x * w|; clusters add their
//           parts in the order of K, so the bits are the same every time
// Source    NVFP4 as ModelOpt stores it; PTX ISA, wgmma.mma_async with A in registers, mma.m16n8k16
#include "common/dense_product.cuh"

#define LINEAR_NVFP4(TOKENS, TILES, ROWS, SPLITS)                                                                      \
    extern "C" __global__ __cluster_dims__(SPLITS, 1, 1) PRODUCT_BOUNDS(Nvfp4Weights, false, TOKENS, TILES)            \
    void linear_nvfp4_t##TOKENS##_r##ROWS##_s##SPLITS(                                                                 \
        bf16* __restrict__ y, const __grid_constant__ CUtensorMap x, const char* __restrict__ tiles,                   \
        const float* __restrict__ segmentScales, int T, int N, int K, int segments, long long yStride) {               \
        multiplyDense<ProductPlan<Nvfp4Weights, false, TOKENS, TILES>, SPLITS>(                                        \
            Nvfp4Weights::of<false>(tiles, segmentScales, segments, N, K), ActivationMaps{x, nullptr}, T, N, K, y,     \
            yStride);                                                                                                  \
    }
#define LINEAR_NVFP4_SPLITS(TOKENS)                                                                                    \
    LINEAR_NVFP4(TOKENS, 1, 128, 1)                                                                                    \
    LINEAR_NVFP4(TOKENS, 1, 128, 2)                                                                                    \
    LINEAR_NVFP4(TOKENS, 1, 128, 4)                                                                                    \
    LINEAR_NVFP4(TOKENS, 1, 128, 8)

LINEAR_NVFP4_SPLITS(8)
LINEAR_NVFP4_SPLITS(16)
LINEAR_NVFP4_SPLITS(32)
LINEAR_NVFP4_SPLITS(64)
LINEAR_NVFP4_SPLITS(128)
LINEAR_NVFP4(128, 2, 256, 1)
LINEAR_NVFP4(128, 2, 256, 2)
LINEAR_NVFP4(128, 2, 256, 4)
LINEAR_NVFP4(128, 2, 256, 8)
