// latent_append_packed: latent_append into rows of 656 bytes: 512 E4M3, 4 float32 scales, 64 bf16.
//
// Math      scale[t,b] = max(max_{c in b} |latent[t,c]|, 1e-4) / 448 for each run b of 128 elements; codes =
//           e4m3(latent[t,c] / scale[t,b]); row(t) as in latent_append.cu holds codes, then scales, then key[t,:]
// Shapes    latent [T,512], key [T,64] bf16, cache [pages, pageTokens, 656] bytes, positions [T], starts [B+1],
//           pageTable [B, tablePages] int32; any T, B
// Layout    rows of latent and key lie ldLatent and ldKey elements apart, multiples of 8, pointers of 16 bytes; cache
//           and tables are contiguous
// Roofline  bytes = T*(1152 + 656), flops = 2*T*512: bandwidth-bound everywhere
// Launch    grid (T), block (128): warp w has run w, a thread four of its elements; no dynamic shared memory
// Numerics  exact: division and rounding are IEEE's
// Source    layout: FlashMLA's FP8 cache for sparse attention; pages: Kwon et al. 2023, section 4
#include "common/index_head.cuh"
#include "common/paged.cuh"

constexpr int LATENT = 512, KEY = 64, ROW = LATENT + 16 + 2 * KEY;

extern "C" __global__ __launch_bounds__(128)
void latent_append_packed_d576(unsigned char* cache, const bf16* latent, const bf16* key, const int* positions,
                               const int* starts, const int* pageTable, int B, int tablePages, int pageTokens,
                               int64_t ldLatent, int64_t ldKey) {
    const int64_t t = blockIdx.x;
    const Paged paged{starts, nullptr, pageTable, B, tablePages, pageTokens};
    unsigned char* row = cache + paged.row(bisectSequence(starts, B, t), positions[t]) * ROW;
    float v[4];
    loadHead(v, latent + t * ldLatent + threadIdx.x / 32 * 128);
    float largest = LEAST;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        largest = fmaxf(largest, fabsf(v[i]));
    }
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2) {
        largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, distance));
    }
    const float scale = __fdiv_rn(largest, LARGEST);
    uint32_t codes = 0;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        codes |= static_cast<uint32_t>(encodeE4m3(__fdiv_rn(v[i], scale))) << (8 * i);
    }
    *reinterpret_cast<uint32_t*>(row + 4 * threadIdx.x) = codes;
    if (threadIdx.x % 32 == 0) {
        *reinterpret_cast<float*>(row + LATENT + threadIdx.x / 8) = scale;
    }
    if (threadIdx.x < KEY / 8) {
        reinterpret_cast<uint4*>(row + LATENT + 16)[threadIdx.x] =
            reinterpret_cast<const uint4*>(key + t * ldKey)[threadIdx.x];
    }
}
