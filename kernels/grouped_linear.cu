// grouped_linear: a product per expert over that expert's rows.
//
// Math      y[p,n] = sum_k x[p,k] * w[e,n,k], e the expert of row p
// Shapes    x [P,K], offsets [E+1] int32, w [E,N,K], y [P,N]; bf16 activations; rows of expert e are offsets[e] ..
//           offsets[e+1], rows beyond offsets[E] are left; E, N, P >= 1. Weights: bf16, K % 8 == 0; nvfp4, K % 64 == 0:
//           codes [E,N,K/2] bytes, low nibble = even k, block scales [E,N,K/16] E4M3, float32 scales [E,segments] for
//           N/segments rows each. any_bf16, any_fp8 (E4M3, float32 scales [E,ceil(N/blockRows),ceil(K/blockColumns)])
//           and any_nvfp4 (K % 16 == 0) take every shape and alignment
// Layout    row-major as in the checkpoint, weights never expanded in memory; w, x and y 16-byte, block scales 4-byte
//           aligned; rows of x and y may have gaps (strides in elements), x's a multiple of 8; y of other strides or
//           alignment is written element by element
// Roofline  bytes = (2 or 0.5625)*N*K*experts hit + 2*rows*(K + N), flops = 2*rows*N*K: memory-bound below 295 rows
//           an expert for bf16, 83 for nvfp4 on an H100
// Launch    grouped_linear_n<W>_<w>: a block makes 128 columns of W = 8, 16, 32, 64, 128 or 256 rows of one expert;
//           grid (ceil(N/128) * ((P + min(E,P)*(W-1)) / W)); in the order of W block (288), (288), (288), (288), (320),
//           (384) and dynamic shared, which the kernel's attribute must allow, bf16 69696, 73792, 61488, 98368,
//           229488, 196672, nvfp4 67632, 66640, 69696, 102464, 172160, 227424 bytes. Blocks find their expert in the
//           offsets; those without rows leave. W: the least >= P/E, else 256.
//           grouped_linear_any_<w>: the same grid with W = 64 and 64 columns, block (256), static shared memory only
// Numerics  operands are exact in bf16, sums float32: |err| <= 2^-8 * |y| + 4 * sqrt(K) * 2^-23 * sum_k |x * w|; the
//           same bits every time
// Source    DeepSeek-V3 technical report, section 2.1.2; NVFP4 as ModelOpt stores it; PTX ISA, wgmma.mma_async
#include "common/expert_product.cuh"

EXPERT_KERNELS(grouped_linear, false)
