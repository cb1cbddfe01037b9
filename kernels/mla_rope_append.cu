// mla_rope_append: everything between MLA's projections and its attention, in one pass.
//
// Math      latent_out[t,:] = rms_norm(latent[t,:]) * gain; q_out[t,h,:] = rotary(q[t,h,:]); key_out[t,:] = rotary(key[t,:]);
//           cache[row(t),:] = [latent_out[t,:] | key_out[t,:]] of those rounded values, e4m3 rounded again with scale 1;
//           formulas of rms_norm, rotary and latent_append
// Shapes    q, q_out [T,Q,D], key, key_out [T,D], latent, latent_out [T,R], gain [R], cache [pages, page_tokens, R+D]
//           bf16 or e4m3, angles [P,2,D/2] float32, positions [T], starts [B+1], page_table [B, table_pages] int32;
//           D even, every position < P; otherwise any size
// Layout    steps in elements between tokens and heads as named; elements of a head or row side by side; each output
//           may be its input with the same steps. Eight elements per access where pointers and steps allow it
// Roofline  bytes = 4*T*(Q*D + D + R) + 4*T*D + T*(R+D)*(size of a cache element), flops = 3*T*(Q+1)*D + 4*T*R:
//           bandwidth-bound everywhere
// Launch    grid (T, 1 + ceil(Q*D/2048)), block (256), no dynamic shared memory; row 0 of the grid's y does latent and
//           key, the others rotate queries
// Numerics  latent: |err| <= (2^-8 + 8*sqrt(R)*2^-24) * |y|; rotation: 2^-8*|y| + 2^-23*(|x[a]| + |x[b]|)
// Source    DeepSeek-AI 2024 (DeepSeek-V2), §2.1.2 and §2.1.3
#include "common/latent.cuh"
#include "common/paged.cuh"
#include "common/rms.cuh"
#include "common/rotate.cuh"

struct Queries {
    bf16* out;
    const bf16* in;
    int heads;
    int64_t out_token, out_head, in_token, in_head;
};

struct Rows {
    bf16* out;
    const bf16* in;
    int width;
    int64_t out_step, in_step;
};

template <Pairs P, int W>
static __device__ void rotate_queries(const Queries& q, const float* angles, int D, int64_t t) {
    const int items = rotation_items<P, W>(D);
    for (int i = (blockIdx.y - 1) * blockDim.x + threadIdx.x; i < q.heads * items; i += (gridDim.y - 1) * blockDim.x) {
        const int64_t head = i / items;
        rotate<P, W>(q.out + t * q.out_token + head * q.out_head, q.in + t * q.in_token + head * q.in_head, angles, D,
                     i % items, [](int, const float (&)[W]) {});
    }
}

template <Pairs P, int W, class C>
static __device__ void append(C* cache_row, const Rows& latent, const Rows& key, const bf16* gain, float eps,
                              const float* angles, int64_t t) {
    const bf16* from = latent.in + t * latent.in_step;
    bf16* to = latent.out + t * latent.out_step;
    auto read = [&](int h, float (&v)[W]) { load(v, from + h); };
    rms_normalise<W, 1>(latent.width, gain, eps, read, read, [&](int h, float (&v)[W]) {
#pragma unroll
        for (int j = 0; j < W; j++) {
            v[j] = rounded(v[j]);
        }
        store(to + h, v);
        store(cache_row + h, v);
    });
    for (int i = threadIdx.x; i < rotation_items<P, W>(key.width); i += blockDim.x) {
        rotate<P, W>(key.out + t * key.out_step, key.in + t * key.in_step, angles, key.width, i,
                     [&](int d, const float (&v)[W]) { store(cache_row + latent.width + d, v); });
    }
}

template <Pairs P, class C>
static __device__ void rope_append(C* cache, const Queries& q, const Rows& key, const Rows& latent, const bf16* gain,
                                   const float* table, const int* positions, const Paged& paged, float eps) {
    const int64_t t = blockIdx.x;
    const int D = key.width;
    const int position = positions[t];
    const float* angles = table + static_cast<int64_t>(position) * D;
    if (blockIdx.y > 0) {
        if (wide_heads<P>(q.in, q.in_token, q.in_head, D) && wide_heads<P>(q.out, q.out_token, q.out_head, D)) {
            rotate_queries<P, 8>(q, angles, D, t);
        } else {
            rotate_queries<P, 1>(q, angles, D, t);
        }
        return;
    }
    C* row = cache + paged.row(sequence_of(paged.starts, paged.sequences, t), position) * (latent.width + D);
    const bool wide = wide_heads<P>(key.in, key.in_step, 0, D) && wide_heads<P>(key.out, key.out_step, 0, D) &&
                      wide_rows(latent.in, latent.in_step, latent.width) && wide_rows(gain, 0, latent.width) &&
                      wide_rows(latent.out, latent.out_step, latent.width) && wide_cache(cache, latent.width + D);
    if (wide) {
        append<P, 8>(row, latent, key, gain, eps, angles, t);
    } else {
        append<P, 1>(row, latent, key, gain, eps, angles, t);
    }
}

#define MLA_ROPE_APPEND(NAME, PAIRS, CACHE)                                                                            \
    extern "C" __global__ __launch_bounds__(256) void NAME(                                                            \
        CACHE* cache, bf16* q_out, bf16* key_out, bf16* latent_out, const bf16* q, const bf16* key,                    \
        const bf16* latent, const bf16* gain, const float* angles, const int* positions, const int* starts,            \
        const int* page_table, int B, int table_pages, int page_tokens, int Q, int D, int R, int64_t q_token,          \
        int64_t q_head, int64_t q_out_token, int64_t q_out_head, int64_t ld_key, int64_t ld_key_out,                   \
        int64_t ld_latent, int64_t ld_latent_out, float eps) {                                                         \
        rope_append<PAIRS>(cache, Queries{q_out, q, Q, q_out_token, q_out_head, q_token, q_head},                      \
                           Rows{key_out, key, D, ld_key_out, ld_key},                                                  \
                           Rows{latent_out, latent, R, ld_latent_out, ld_latent}, gain, angles, positions,             \
                           Paged{starts, nullptr, page_table, B, table_pages, page_tokens}, eps);                      \
    }

MLA_ROPE_APPEND(mla_rope_append_interleaved_bf16, Pairs::INTERLEAVED, bf16)
MLA_ROPE_APPEND(mla_rope_append_interleaved_e4m3, Pairs::INTERLEAVED, e4m3)
MLA_ROPE_APPEND(mla_rope_append_half_split_bf16, Pairs::HALF_SPLIT, bf16)
MLA_ROPE_APPEND(mla_rope_append_half_split_e4m3, Pairs::HALF_SPLIT, e4m3)
