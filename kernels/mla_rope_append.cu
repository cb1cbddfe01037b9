// mla_rope_append: everything between MLA's projections and its attention, in one pass.
//
// Math      latentOut[t,:] = rms_norm(latent[t,:]); qOut[t,h,:] = rotary(q[t,h,:]); keyOut[t,:] = rotary(key[t,:]);
//           cache[row(t),:] = [latentOut[t,:] | keyOut[t,:]] of those rounded values, e4m3 rounded again with scale 1;
//           e4m3 queries are rounded once, with scale 1, at most 448 in size;
//           formulas as in rms_norm.cu, rotary.cu and latent_append.cu
// Shapes    q, qOut [T,Q,D], key, keyOut [T,D], latent, latentOut [T,R], gain [R], cache [pages, pageTokens, R+D]
//           bf16 or e4m3, qOut bf16 or, with such a cache, e4m3, angles [P,2,D/2] float32, positions [T], starts [B+1], pageTable [B, tablePages] int32;
//           D even, every position < P; otherwise any size
// Layout    steps in elements between tokens and heads as named; elements of a head or row side by side; each output
//           may be its input with the same steps. Eight elements per access where pointers and steps allow it; angles
//           lie on 16 bytes
// Roofline  bytes = 2*T*Q*D + T*Q*D*(size of an element of qOut) + 4*T*(D + R) + 4*T*D + T*(R+D)*(size of a cache element), flops = 3*T*(Q+1)*D + 4*T*R:
//           bandwidth-bound everywhere
// Launch    grid (T, 1 + ceil(Q*D/2048)), block (256), no dynamic shared memory; row 0 of the grid's y does latent and
//           key, the others rotate queries
// Numerics  latent: |err| <= (2^-8 + 8*sqrt(R)*2^-24) * |y|; rotation: 2^-8*|y| + 2^-23*(|x[a]| + |x[b]|), of codes 2^-4
//           in place of 2^-8 and 2^-10 beside it
// Source    DeepSeek-AI 2024 (DeepSeek-V2), §2.1.2 and §2.1.3
#include "common/latent.cuh"
#include "common/paged.cuh"
#include "common/rms.cuh"
#include "common/rotate.cuh"

template <class Y>
struct Queries {
    Y* out;
    const bf16* in;
    int heads;
    int64_t outToken, outHead, inToken, inHead;
};

struct Rows {
    bf16* out;
    const bf16* in;
    int width;
    int64_t outStep, inStep;
};

template <Pairs P, int W, class Y>
static __device__ void rotateQueries(const Queries<Y>& q, const float* angles, int D, int64_t t) {
    const int items = rotationItems<P, W>(D);
    for (int i = (blockIdx.y - 1) * blockDim.x + threadIdx.x; i < q.heads * items; i += (gridDim.y - 1) * blockDim.x) {
        const int64_t head = i / items;
        rotate<P, W>(q.out + t * q.outToken + head * q.outHead, q.in + t * q.inToken + head * q.inHead, angles, D,
                     i % items, [](int, const float (&)[W]) {});
    }
}

template <Pairs P, int W, class C>
static __device__ void append(C* cacheRow, const Rows& latent, const Rows& key, const bf16* gain, float eps,
                              const float* angles, int64_t t) {
    const bf16* from = latent.in + t * latent.inStep;
    bf16* to = latent.out + t * latent.outStep;
    auto read = [&](int h, float (&v)[W]) { load(v, from + h); };
    rmsNormalise<W, 1>(latent.width, gain, eps, read, read, [&](int h, float (&v)[W]) {
#pragma unroll
        for (int j = 0; j < W; j++) {
            v[j] = rounded(v[j]);
        }
        store(to + h, v);
        store(cacheRow + h, v);
    });
    for (int i = threadIdx.x; i < rotationItems<P, W>(key.width); i += blockDim.x) {
        rotate<P, W>(key.out + t * key.outStep, key.in + t * key.inStep, angles, key.width, i,
                     [&](int d, const float (&v)[W]) { store(cacheRow + latent.width + d, v); });
    }
}

template <Pairs P, class C, class Y>
static __device__ void ropeAppend(C* cache, const Queries<Y>& q, const Rows& key, const Rows& latent, const bf16* gain,
                                   const float* table, const int* positions, const Paged& paged, float eps) {
    const int64_t t = blockIdx.x;
    const int D = key.width;
    const int position = positions[t];
    const float* angles = table + static_cast<int64_t>(position) * D;
    if (blockIdx.y > 0) {
        if (wideHeads<P>(q.in, q.inToken, q.inHead, D) && wideHeads<P>(q.out, q.outToken, q.outHead, D)) {
            rotateQueries<P, 8>(q, angles, D, t);
        } else {
            rotateQueries<P, 1>(q, angles, D, t);
        }
        return;
    }
    C* row = cache + paged.row(sequenceOf(paged.starts, paged.sequences, t), position) * (latent.width + D);
    const bool wide = wideHeads<P>(key.in, key.inStep, 0, D) && wideHeads<P>(key.out, key.outStep, 0, D) &&
                      wideRows(latent.in, latent.inStep, latent.width) && wideRows(gain, 0, latent.width) &&
                      wideRows(latent.out, latent.outStep, latent.width) && wideCache(cache, latent.width + D);
    if (wide) {
        append<P, 8>(row, latent, key, gain, eps, angles, t);
    } else {
        append<P, 1>(row, latent, key, gain, eps, angles, t);
    }
}

#define MLA_ROPE_APPEND(NAME, PAIRS, CACHE, QUERY)                                                                     \
    extern "C" __global__ __launch_bounds__(256) void NAME(                                                            \
        CACHE* cache, QUERY* qOut, bf16* keyOut, bf16* latentOut, const bf16* q, const bf16* key,                      \
        const bf16* latent, const bf16* gain, const float* angles, const int* positions, const int* starts,            \
        const int* pageTable, int B, int tablePages, int pageTokens, int Q, int D, int R, int64_t qToken,              \
        int64_t qHead, int64_t qOutToken, int64_t qOutHead, int64_t ldKey, int64_t ldKeyOut,                           \
        int64_t ldLatent, int64_t ldLatentOut, float eps) {                                                            \
        ropeAppend<PAIRS>(cache, Queries<QUERY>{qOut, q, Q, qOutToken, qOutHead, qToken, qHead},                       \
                          Rows{keyOut, key, D, ldKeyOut, ldKey},                                                       \
                          Rows{latentOut, latent, R, ldLatentOut, ldLatent}, gain, angles, positions,                  \
                          Paged{starts, nullptr, pageTable, B, tablePages, pageTokens}, eps);                          \
    }

MLA_ROPE_APPEND(mla_rope_append_interleaved_bf16, Pairs::INTERLEAVED, bf16, bf16)
MLA_ROPE_APPEND(mla_rope_append_interleaved_e4m3, Pairs::INTERLEAVED, e4m3, bf16)
MLA_ROPE_APPEND(mla_rope_append_interleaved_e4m3_q_e4m3, Pairs::INTERLEAVED, e4m3, e4m3)
MLA_ROPE_APPEND(mla_rope_append_half_split_bf16, Pairs::HALF_SPLIT, bf16, bf16)
MLA_ROPE_APPEND(mla_rope_append_half_split_e4m3, Pairs::HALF_SPLIT, e4m3, bf16)
MLA_ROPE_APPEND(mla_rope_append_half_split_e4m3_q_e4m3, Pairs::HALF_SPLIT, e4m3, e4m3)
