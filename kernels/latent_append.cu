// latent_append: writes each token's latent and rotated key into the paged cache.
//
// Math      cache[row(t), :] = [latent[t,:] | key[t,:]], row(t) = page of the token's sequence and position * page_tokens
//           + position % page_tokens; E4M3 rounds to nearest even and saturates at 448, scale 1
// Shapes    latent [T,R], key [T,D], cache [pages, page_tokens, R+D] bf16 or e4m3, positions [T], starts [B+1],
//           page_table [B, table_pages] int32; any T, B, R, D >= 1
// Layout    rows of latent and key lie ld_latent and ld_key elements apart; cache and tables are contiguous. Eight
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
                              int R, int D, int64_t ld_latent, int64_t ld_key) {
    const int64_t t = blockIdx.x;
    const int sequence = sequence_of(paged.starts, paged.sequences, t);
    C* row = cache + paged.row(sequence, positions[t]) * (R + D);
    if (wide_rows(latent, ld_latent, R) && wide_rows(key, ld_key, D) && wide_cache(cache, R + D)) {
        copy<8>(row, latent + t * ld_latent, R);
        copy<8>(row + R, key + t * ld_key, D);
    } else {
        copy<1>(row, latent + t * ld_latent, R);
        copy<1>(row + R, key + t * ld_key, D);
    }
}

extern "C" __global__ __launch_bounds__(128)
void latent_append_bf16(bf16* cache, const bf16* latent, const bf16* key, const int* positions, const int* starts,
                        const int* page_table, int B, int table_pages, int page_tokens, int R, int D,
                        int64_t ld_latent, int64_t ld_key) {
    const Paged paged{starts, nullptr, page_table, B, table_pages, page_tokens};
    append(cache, latent, key, positions, paged, R, D, ld_latent, ld_key);
}

extern "C" __global__ __launch_bounds__(128)
void latent_append_e4m3(e4m3* cache, const bf16* latent, const bf16* key, const int* positions, const int* starts,
                        const int* page_table, int B, int table_pages, int page_tokens, int R, int D,
                        int64_t ld_latent, int64_t ld_key) {
    const Paged paged{starts, nullptr, page_table, B, table_pages, page_tokens};
    append(cache, latent, key, positions, paged, R, D, ld_latent, ld_key);
}
