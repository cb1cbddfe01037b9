// linear_nvfp4: a dense product with NVFP4 weights on the tensor cores, weights expanded in registers (W4A16).
//
// Math      y[t,n] = segmentScales[n / segmentRows] * sum_k x[t,k] * e2m1(w[n,k]) * e4m3(blockScales[n, k/16])
// Shapes    x [T,K], w [N,K/2] bytes, low nibble = even k, blockScales [N,K/16], segmentScales [N/segmentRows], y [T,N];
//           T, N >= 1, K % 64 == 0
// Layout    row-major as in the checkpoint; w, x and y 16-byte, blockScales 4-byte aligned; rows of x and y may have gaps
//           (strides in elements), x's a multiple of 8; y of other strides or alignment is written element by element
// Roofline  bytes = 0.5625*N*K + 2*T*(K+N), flops = 2*T*N*K: memory-bound below T = 83 on an H100
// Launch    linear_nvfp4_n<W>_s<S>: W = 8, 16, 32, 64, 128, 256 rows of x a block, S = 1 or 4 blocks of a cluster that
//           share the steps of K (no 256 with 4); grid (S*ceil(N/128), ceil(T/W)), ceil(T/W) <= 65535, block (256),
//           dynamic shared 112640, 106496, 104448, 102400, 172032, 227328 bytes in the order of W; the kernel's
//           attribute for dynamic shared memory must allow it; the cluster size is compiled in. W: the least that
//           holds T, else 256; S = 4 where W <= 128 and ceil(N/128)*ceil(T/W) < 132
// Numerics  operands are exact in bf16; |err| <= 2^-9 * |y| + c * sqrt(K) * 2^-23 * sum_k |x * w|; clusters add their
//           parts in the order of K, so the bits are the same every time
// Source    NVFP4 as ModelOpt stores it; PTX ISA, wgmma.mma_async with A in registers
#include "common/product_store.cuh"
#include "common/weight_formats.cuh"

__device__ void synchroniseCluster() {
    asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
}

// Four floats at the address that `own` has in this block's shared memory, from block `rank` of the cluster.
__device__ float4 readShared(uint32_t own, int rank) {
    uint32_t address;
    float4 value;
    asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(address) : "r"(own), "r"(rank));
    asm volatile("ld.shared::cluster.v4.f32 {%0, %1, %2, %3}, [%4];"
                 : "=f"(value.x), "=f"(value.y), "=f"(value.z), "=f"(value.w)
                 : "r"(address)
                 : "memory");
    return value;
}

// The cluster's blocks hold sums of different parts of K for the same tile: each adds up and stores an even part of the
// tokens, eights of them.
template <int TOKENS, int SPLITS, class Weights>
__device__ void storeClusterSums(const Sums<TOKENS>& sums, char* shared, const Weights& weights,
                                 const TileRows<false>& rows, bf16* y, long long stride, int tokens, int rank) {
    using Target = Store<false, TOKENS>;
    constexpr int EIGHTS = TOKENS / 8, SUM_BYTES = TOKENS * 512;
    static_assert(SUM_BYTES + Target::SHARED_BYTES <= Pipeline<Weights, TOKENS>::SHARED_BYTES, "reuses the stages");
    float4* own = reinterpret_cast<float4*>(shared) + threadIdx.x;
#pragma unroll
    for (int j = 0; j < EIGHTS; j++) {
        const float* d = sums.d[0] + 4 * j;
        own[j * PRODUCT_THREADS] = make_float4(d[0], d[1], d[2], d[3]);
    }
    synchroniseCluster();
    float factor[2];
    rowFactors(factor, weights, rows);
    const int begin = EIGHTS * rank / SPLITS, end = EIGHTS * (rank + 1) / SPLITS;
    for (int j = begin; j < end; j++) {
        float d[4] = {};
#pragma unroll
        for (int from = 0; from < SPLITS; from++) {
            const float4 part = readShared(sharedAddress(own + j * PRODUCT_THREADS), from);
            d[0] += part.x;
            d[1] += part.y;
            d[2] += part.z;
            d[3] += part.w;
        }
        Target::stage(shared + SUM_BYTES, 8 * j, d, factor);
    }
    __syncthreads();
    Target::write(y, stride, shared + SUM_BYTES, 8 * begin, min(8 * end, tokens), rows);
    synchroniseCluster(); // others may still read this block's sums
}

template <int TOKENS, int SPLITS>
__device__ void linear(bf16* y, const bf16* x, const Nvfp4<TOKENS>& weights, int T, int N, long long xStride,
                       long long yStride) {
    extern __shared__ __align__(1024) char shared[];
    const long long t = (long long)blockIdx.y * TOKENS;
    const int rank = blockIdx.x % SPLITS, tokens = static_cast<int>(T - t < TOKENS ? T - t : TOKENS);
    const TileRows<false> rows{static_cast<int>(blockIdx.x) / SPLITS, N};
    const int steps = (weights.K + Nvfp4<TOKENS>::STEP - 1) / Nvfp4<TOKENS>::STEP;
    Sums<TOKENS> sums;
    sumProducts(sums, shared, weights, Activations{x + t * xStride, xStride, tokens, weights.K}, rows,
                steps * rank / SPLITS, steps * (rank + 1) / SPLITS);
    if constexpr (SPLITS == 1) {
        storeProducts(sums, shared, weights, rows, y + t * yStride, yStride, tokens);
    } else {
        storeClusterSums<TOKENS, SPLITS>(sums, shared, weights, rows, y + t * yStride, yStride, tokens, rank);
    }
}

#define LINEAR_NVFP4(TOKENS, SPLITS)                                                                                   \
    extern "C" __global__ __cluster_dims__(SPLITS, 1, 1)                                                               \
    __launch_bounds__(PRODUCT_THREADS, Pipeline<Nvfp4<TOKENS>, TOKENS>::BLOCKS)                                        \
    void linear_nvfp4_n##TOKENS##_s##SPLITS(bf16* __restrict__ y, const bf16* __restrict__ x,                          \
                                            const uint8_t* __restrict__ w, const uint8_t* __restrict__ blockScales,    \
                                            const float* __restrict__ segmentScales, int T, int N, int K,              \
                                            int segmentRows, long long xStride, long long yStride) {                   \
        linear<TOKENS, SPLITS>(y, x, Nvfp4<TOKENS>{w, blockScales, segmentScales, segmentRows, K}, T, N, xStride,      \
                               yStride);                                                                               \
    }
LINEAR_NVFP4(8, 1)
LINEAR_NVFP4(8, 4)
LINEAR_NVFP4(16, 1)
LINEAR_NVFP4(16, 4)
LINEAR_NVFP4(32, 1)
LINEAR_NVFP4(32, 4)
LINEAR_NVFP4(64, 1)
LINEAR_NVFP4(64, 4)
LINEAR_NVFP4(128, 1)
LINEAR_NVFP4(128, 4)
LINEAR_NVFP4(256, 1)
