// linear_nvfp4: a dense product with NVFP4 weights on the tensor cores, weights expanded in registers (W4A16).
//
// Math      y[t,n] = segmentScales[n / segmentRows] * sum_k x[t,k] * e2m1(w[n,k]) * e4m3(blockScales[n, k/16])
// Shapes    x [T,K], w [N,K/2] bytes, low nibble = even k, blockScales [N,K/16], segmentScales [N/segmentRows], y
//           [T,N]; T, N >= 1, K % 64 == 0
// Layout    row-major as in the checkpoint; w, x and y 16-byte, blockScales 4-byte aligned; rows of x and y may have
//           gaps (strides in elements), x's a multiple of 8; y of other strides or alignment is written element by
//           element
// Roofline  bytes = 0.5625*N*K + 2*T*(K+N), flops = 2*T*N*K: memory-bound below T = 83 on an H100
// Launch    linear_nvfp4_n<W>_s<S>: a block multiplies W = 8, 16, 32, 64, 128 or 256 rows of x; S = 1, 2, 4, 8 blocks
//           of a cluster share the steps of K (128 has no 8, 256 only 1; the cluster size is compiled in). Grid
//           (S*ceil(N/128), ceil(T/W)) with ceil(T/W) <= 65535; in the order of W block (288), (288), (288), (288),
//           (320), (384) and dynamic shared 67632, 66640, 69696, 102464, 172160, 227424 bytes, which the kernel's
//           attribute must allow. Fastest as measured: W the least that holds T, else 256; but 64 where 64 < T <= 128
//           and N <= 4224. S = 1 for W = 256, 2 for W = 128 or T > 64, else the largest of 8, 4 with
//           S*ceil(N/128) <= 264, else 2. From T = 1280 on dequant_nvfp4 and cuBLASLt take less time
// Numerics  operands are exact in bf16; |err| <= 2^-8 * |y| + 4 * sqrt(K) * 2^-23 * sum_k |x * w|; clusters add their
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
template <class Weights, int SPLITS, int TOKENS>
__device__ void storeClusterSums(const Sums<TOKENS>& sums, char* shared, const RowFactors& factors,
                                 const TileRows<false>& rows, bf16* y, long long stride, int tokens, int rank) {
    using Target = Store<false, TOKENS>;
    constexpr int EIGHTS = TOKENS / 8, SUM_BYTES = TOKENS * 512;
    static_assert(SUM_BYTES + Target::SHARED_BYTES <= Pipeline<Weights, TOKENS>::BARRIERS, "reuses the stages");
    float4* own = reinterpret_cast<float4*>(shared) + threadIdx.x;
#pragma unroll
    for (int j = 0; j < EIGHTS; j++) {
        const float* d = sums.d[0] + 4 * j;
        own[j * MULTIPLIERS] = make_float4(d[0], d[1], d[2], d[3]);
    }
    synchroniseCluster();
    const int begin = EIGHTS * rank / SPLITS, end = EIGHTS * (rank + 1) / SPLITS;
    for (int j = begin; j < end; j++) {
        float d[4] = {};
#pragma unroll
        for (int from = 0; from < SPLITS; from++) {
            const float4 part = readShared(sharedAddress(own + j * MULTIPLIERS), from);
            d[0] += part.x;
            d[1] += part.y;
            d[2] += part.z;
            d[3] += part.w;
        }
        Target::stage(shared + SUM_BYTES, 8 * j, d, factors);
    }
    synchroniseFirst<MULTIPLIERS>();
    Target::write(y, stride, shared + SUM_BYTES, 8 * begin, min(8 * end, tokens), rows);
    synchroniseCluster(); // others may still read this block's sums
}

template <int TOKENS, int SPLITS>
__device__ void linear(bf16* y, const bf16* x, const Nvfp4<false, TOKENS>& weights, int T, int N, long long xStride,
                       long long yStride) {
    extern __shared__ __align__(1024) char shared[];
    const long long t = (long long)blockIdx.y * TOKENS;
    const int rank = blockIdx.x % SPLITS, tokens = static_cast<int>(T - t < TOKENS ? T - t : TOKENS);
    const TileRows<false> rows{static_cast<int>(blockIdx.x) / SPLITS, N};
    const int steps = (weights.K + Nvfp4<false, TOKENS>::STEP - 1) / Nvfp4<false, TOKENS>::STEP;
    const Activations activations{x + t * xStride, xStride, tokens, weights.K};
    const RowFactors factors(weights, rows);
    Sums<TOKENS> sums;
    if (!sumProducts(sums, shared, weights, activations, rows, steps * rank / SPLITS, steps * (rank + 1) / SPLITS)) {
        return;
    }
    if constexpr (SPLITS == 1) {
        storeProducts<Nvfp4<false, TOKENS>>(sums, shared, factors, rows, y + t * yStride, yStride, tokens);
    } else {
        storeClusterSums<Nvfp4<false, TOKENS>, SPLITS>(sums, shared, factors, rows, y + t * yStride, yStride, tokens,
                                                       rank);
    }
}

#define LINEAR_NVFP4(TOKENS, SPLITS)                                                                                   \
    extern "C" __global__ __cluster_dims__(SPLITS, 1, 1)                                                               \
    PRODUCT_BOUNDS(Nvfp4<false, TOKENS>, TOKENS)                                                                       \
    void linear_nvfp4_n##TOKENS##_s##SPLITS(bf16* __restrict__ y, const bf16* __restrict__ x,                          \
                                            const uint8_t* __restrict__ w, const uint8_t* __restrict__ blockScales,    \
                                            const float* __restrict__ segmentScales, int T, int N, int K,              \
                                            int segmentRows, long long xStride, long long yStride) {                   \
        const Nvfp4<false, TOKENS> weights{w, blockScales, segmentScales, segmentRows, K};                             \
        linear<TOKENS, SPLITS>(y, x, weights, T, N, xStride, yStride);                                                 \
    }
#define LINEAR_NVFP4_SPLITS(TOKENS)                                                                                    \
    LINEAR_NVFP4(TOKENS, 1)                                                                                            \
    LINEAR_NVFP4(TOKENS, 2)                                                                                            \
    LINEAR_NVFP4(TOKENS, 4)

LINEAR_NVFP4_SPLITS(8)
LINEAR_NVFP4(8, 8)
LINEAR_NVFP4_SPLITS(16)
LINEAR_NVFP4(16, 8)
LINEAR_NVFP4_SPLITS(32)
LINEAR_NVFP4(32, 8)
LINEAR_NVFP4_SPLITS(64)
LINEAR_NVFP4(64, 8)
LINEAR_NVFP4_SPLITS(128)
LINEAR_NVFP4(256, 1)
