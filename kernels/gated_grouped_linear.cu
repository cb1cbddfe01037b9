// gated_grouped_linear: a product per expert over that expert's rows, SwiGLU in its epilogue.
//
// Math      g[p,i] = sum_k x[p,k] * w[e,i,k], u[p,i] = sum_k x[p,k] * w[e,I+i,k], y = g / (1 + exp(-g)) * u, I = N/2
// Shapes    x [P,K], offsets [E+1] int32, w [E,N,K], gate rows first, y [P,N/2] bf16; rows of expert e are offsets[e]
//           .. offsets[e+1], others are left; 1 <= E <= 512, N, P >= 1. bf16: K % 8 == 0, I % 8 == 0. fp8: x and w
//           E4M3, K % 16 == 0, I % 64 == 0, float32 scales of x [ceil(K/128), P], of w [E, ceil(N/128), ceil(K/128)].
//           nvfp4: bf16 x, w and block scales in tiles as tile_nvfp4_gated makes them, float32 scales [E,segments] of
//           N/segments rows each, K % 16 == 0. any_bf16 and any_nvfp4 (codes [E,N,K/2], block scales [E,N,K/16]) take
//           every E and alignment
// Layout    x, bf16 and fp8 weights and the scales of x come as tensor maps (common/product_plan.cuh: boxes of 128
//           bytes of W tokens, of W scales, and of 128 bytes of 128 rows of w, eight of either half in turn), so bases
//           and row strides are multiples of 16 bytes; rows of y may have gaps (stride in elements), other strides or
//           alignment than 16 bytes are written element by element. any_<w>: pointers, any alignment
// Roofline  bytes = (2, 1 or 0.5625)*N*K*experts hit + rows*((2 or 1)*K + N), flops = 2*rows*N*K: memory-bound below
//           295 rows an expert for bf16 and fp8, 83 for nvfp4 on an H100
// Launch    gated_grouped_linear_t<W>_r<R>_<w>: tiles of W rows of one expert and R rows of w. W*R/128 <= 64: block
//           (288), dynamic shared 115712 bytes, two blocks a multiprocessor; else block (384), 232448 bytes, one. Any
//           grid, best one resident wave: blocks find the tiles in the offsets and walk them.
//           gated_grouped_linear_any_<w>: a block of (256) for 64 rows and 64 columns, grid (ceil(N/2/64) * ((P +
//           min(E,P)*63) / 64)), static shared memory only
// Numerics  g and u are not rounded before SwiGLU: |err| <= 2^-8 * |y| + 1.1 * (|u| * d(g) + |silu(g)| * d(u)) + 2^-20
//           * |y|, d(.) = c * sum_k |x * w|; bf16 and nvfp4, exact in bf16: c = 4 * sqrt(K) * 2^-23; fp8, whose sums of
//           128 keep about 14 bits: c = 2^-12; the same bits every time
// Source    Shazeer 2020, equation 6; DeepSeek-V3 technical report, sections 2.1.2, 3.3; NVFP4 as ModelOpt stores it
#include "common/expert_product.cuh"

EXPERT_KERNELS(gated_grouped_linear, true)
