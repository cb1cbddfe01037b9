// latent_append: writes each token's latent and rotated key into the paged cache.
//
// Math      cache[row(t), :] = [latent[t,:] | key[t,:]] with row(t) = page * pageTokens + position % pageTokens, page =
//           pageTable[sequence, position / pageTokens]; e4m3 rounds to nearest even and saturates at 448, scale 1
// Shapes    latent [T,R], key [T,D], cache [pages, pageTokens, R+D] bf16 or e4m3, positions [T], starts [B+1],
//           pageTable [B, tablePages] int32; any T, B, R, D >= 1
// Layout    rows of latent and key lie ldLatent and ldKey elements apart; cache and tables are contiguous. Eight
//           elements per access where pointers and steps allow it
// Roofline  bytes = T*(R+D)*(2 + size of a cache element), no flops: bandwidth-bound everywhere
// Launch    grid (T), block (128), no dynamic shared memory
// Numerics  exact for bf16; one rounding for e4m3
// Source    DeepSeek-AI 2024 (DeepSeek-V2), §2.1.3; pages: Kwon et al. 2023, §4
#include "common/latent.cuh"
#include "common/paged.cuh"

template <int W, class C>
static __device__ void copy(C* to, const bf16* from, int width) {
    for (int i = threadIdx.x * W; i < width; i += blockDim.x * W) {
        float v[W];
        load(v, from + i);
        store(to + i, v);
    }
}

template <class C>
static __device__ void append(C* cache, const bf16* latent, const bf16* key, const int* positions, const Paged& paged,
                              int R, int D, int64_t ldLatent, int64_t ldKey) {
    const int64_t t = blockIdx.x;
    const int sequence = sequenceOf(paged.starts, paged.sequences, t);
    C* row = cache + paged.row(sequence, positions[t]) * (R + D);
    if (wideRows(latent, ldLatent, R) && wideRows(key, ldKey, D) && wideCache(cache, R + D)) {
        copy<8>(row, latent + t * ldLatent, R);
        copy<8>(row + R, key + t * ldKey, D);
    } else {
        copy<1>(row, latent + t * ldLatent, R);
        copy<1>(row + R, key + t * ldKey, D);
    }
}

extern "C" __global__ __launch_bounds__(128)
void latent_append_bf16(bf16* cache, const bf16* latent, const bf16* key, const int* positions, const int* starts,
                        const int* pageTable, int B, int tablePages, int pageTokens, int R, int D,
                        int64_t ldLatent, int64_t ldKey) {
    const Paged paged{starts, nullptr, pageTable, B, tablePages, pageTokens};
    append(cache, latent, key, positions, paged, R, D, ldLatent, ldKey);
}

extern "C" __global__ __launch_bounds__(128)
void latent_append_e4m3(e4m3* cache, const bf16* latent, const bf16* key, const int* positions, const int* starts,
                        const int* pageTable, int B, int tablePages, int pageTokens, int R, int D,
                        int64_t ldLatent, int64_t ldKey) {
    const Paged paged{starts, nullptr, pageTable, B, tablePages, pageTokens};
    append(cache, latent, key, positions, paged, R, D, ldLatent, ldKey);
}
