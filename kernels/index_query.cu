// index_query: the lightning indexer's queries, rotated, spread by a Hadamard matrix and rounded to E4M3.
//
// Math      r = q[t,h,:] with its first 2*half elements rotated in halves by table[positions[t]]; u = H_D r / sqrt(D);
//           s = the power of two at or above max(max|u|, 1e-4) / 448; y[t,h,:] = e4m3(u / s);
//           scaled[t,h] = weights[t,h] * (Q*D)^-1/2 * s
// Shapes    q [T,Q,D] bf16, weights [T,Q] float32, positions [T] int32, table [positions,2,half] float32, y [T,Q,D]
//           e4m3, scaled [T,Q] float32; D = 32, 64 or 128, half a power of two, at most D/2
// Layout    heads of q follow each other, tokens qToken elements apart, a multiple of 8; q and table of 16 bytes, y of 8;
//           the rest is contiguous
// Roofline  bytes = T*Q*(3*D + 8), flops = T*Q*D*(1 + log2 D) and the rotation's: bandwidth-bound, but only as long as a
//           head costs a warp few instructions
// Launch    grid (T * ceil(Q/64)), block (256): four lanes for each head, 64 heads of one token, no dynamic shared memory
// Numerics  float32, each operation rounded by itself: the same bits as the reference
// Source    DeepSeek-AI 2025 (DeepSeek-V3.2-Exp), section 2.1 and its inference code
#include "common/latent.cuh"
#include "common/scales.cuh"

// Lane l of four holds elements 32*c + 8*l + e of a head, e < 8, as v[c][e]: whole 16-byte loads, and of the butterflies
// only those of distance 8 and 16 go between lanes.
template <int C>
using Head = float[C][8];

static __device__ __forceinline__ void loadAngles(float (&v)[8], const float* from) {
    const float4 low = *reinterpret_cast<const float4*>(from), high = *reinterpret_cast<const float4*>(from + 4);
    v[0] = low.x, v[1] = low.y, v[2] = low.z, v[3] = low.w;
    v[4] = high.x, v[5] = high.y, v[6] = high.z, v[7] = high.w;
}

// (a, b) turned by an angle.
static __device__ __forceinline__ void turn(float& a, float& b, float cosine, float sine) {
    const float first = __fsub_rn(__fmul_rn(a, cosine), __fmul_rn(b, sine));
    b = __fadd_rn(__fmul_rn(b, cosine), __fmul_rn(a, sine));
    a = first;
}

// Rotates the first 2*HALF elements; `angles` holds HALF cosines, then HALF sines.
template <int HALF, int C>
static __device__ __forceinline__ void rotate(Head<C>& v, const float* angles, int lane) {
    if constexpr (HALF > 16 * C) {
        return; // more than half a head
    } else if constexpr (HALF >= 32) {
#pragma unroll
        for (int c = 0; c < HALF / 32; c++) {
            float cosines[8], sines[8];
            loadAngles(cosines, angles + 32 * c + 8 * lane);
            loadAngles(sines, angles + HALF + 32 * c + 8 * lane);
#pragma unroll
            for (int e = 0; e < 8; e++) {
                turn(v[c][e], v[c + HALF / 32][e], cosines[e], sines[e]);
            }
        }
    } else if constexpr (HALF >= 8) {
        const int distance = HALF / 8; // in lanes
        float cosines[8], sines[8];
        loadAngles(cosines, angles + 8 * lane % HALF);
        loadAngles(sines, angles + HALF + 8 * lane % HALF);
#pragma unroll
        for (int e = 0; e < 8; e++) {
            const float partner = __shfl_xor_sync(0xFFFFFFFFu, v[0][e], distance);
            float a = lane & distance ? partner : v[0][e], b = lane & distance ? v[0][e] : partner;
            turn(a, b, cosines[e], sines[e]);
            if (lane < 2 * distance) {
                v[0][e] = lane & distance ? b : a;
            }
        }
    } else if (lane == 0) {
#pragma unroll
        for (int e = 0; e < HALF; e++) {
            turn(v[0][e], v[0][e + HALF], angles[e], angles[HALF + e]);
        }
    }
}

template <int C>
static __device__ __forceinline__ void rotate(Head<C>& v, const float* angles, int half, int lane) {
    switch (half) {
        case 64: return rotate<64>(v, angles, lane);
        case 32: return rotate<32>(v, angles, lane);
        case 16: return rotate<16>(v, angles, lane);
        case 8: return rotate<8>(v, angles, lane);
        case 4: return rotate<4>(v, angles, lane);
        case 2: return rotate<2>(v, angles, lane);
        default: return rotate<1>(v, angles, lane);
    }
}

static __device__ __forceinline__ void butterfly(float& a, float& b) {
    const float difference = __fsub_rn(a, b);
    a = __fadd_rn(a, b);
    b = difference;
}

// Multiplies with the Hadamard matrix of order 32*C.
template <int C>
static __device__ __forceinline__ void hadamard(Head<C>& v, int lane) {
#pragma unroll
    for (int step = 1; step < 8; step *= 2) {
#pragma unroll
        for (int i = 0; i < 8 * C; i++) {
            if ((i & step) == 0) {
                butterfly(v[i / 8][i % 8], v[i / 8][i % 8 + step]);
            }
        }
    }
#pragma unroll
    for (int step = 1; step < 4; step *= 2) {
        const float sign = lane & step ? -1.0f : 1.0f;
#pragma unroll
        for (int i = 0; i < 8 * C; i++) {
            const float other = __shfl_xor_sync(0xFFFFFFFFu, v[i / 8][i % 8], step);
            v[i / 8][i % 8] = __fmaf_rn(sign, v[i / 8][i % 8], other); // one rounding: the sum or the difference
        }
    }
#pragma unroll
    for (int step = 1; step < C; step *= 2) {
#pragma unroll
        for (int i = 0; i < 8 * C; i++) {
            if ((i / 8 & step) == 0) {
                butterfly(v[i / 8][i % 8], v[i / 8 + step][i % 8]);
            }
        }
    }
}

template <int C>
static __device__ __forceinline__ void query(e4m3* y, float* scaled, const bf16* q, const float* weights,
                                             const int* positions, const float* table, int Q, int half,
                                             int64_t qToken, float factor, float root) {
    const int blocks = (Q + 63) / 64; // of a token
    const int64_t t = blockIdx.x / blocks;
    const int h = blockIdx.x % blocks * 64 + threadIdx.x / 4;
    const int lane = threadIdx.x % 4;
    const bool present = h < Q; // the others shuffle along
    Head<C> v = {};
    if (present) {
        const bf16* from = q + t * qToken + h * (32 * C) + 8 * lane;
#pragma unroll
        for (int c = 0; c < C; c++) {
            load(v[c], from + 32 * c);
        }
    }
    rotate(v, table + static_cast<int64_t>(positions[t]) * 2 * half, half, lane);
    hadamard(v, lane);
    float largest = 0;
#pragma unroll
    for (int i = 0; i < 8 * C; i++) {
        largest = fmaxf(largest, fabsf(v[i / 8][i % 8]));
    }
    largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, 1));
    largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, 2));
    if (!present) {
        return;
    }
    // Rounding is monotonous, and dividing by a power of two changes no bit: the root goes into both factors.
    const float scale = powerOfTwo(__fdiv_rn(fmaxf(__fmul_rn(largest, root), LEAST), LARGEST));
    const float each = __fmul_rn(root, __frcp_rn(scale));
    const int64_t head = t * Q + h;
#pragma unroll
    for (int c = 0; c < C; c++) {
#pragma unroll
        for (int e = 0; e < 8; e++) {
            v[c][e] = __fmul_rn(v[c][e], each);
        }
        store(y + head * (32 * C) + 32 * c + 8 * lane, v[c]);
    }
    if (lane == 0) {
        scaled[head] = __fmul_rn(__fmul_rn(weights[head], factor), scale);
    }
}

#define INDEX_QUERY(NAME, C)                                                                                           \
    extern "C" __global__ __launch_bounds__(256) void NAME(                                                            \
        e4m3* y, float* scaled, const bf16* q, const float* weights, const int* positions, const float* table, int Q,  \
        int half, int64_t qToken, float factor, float root) {                                                          \
        query<C>(y, scaled, q, weights, positions, table, Q, half, qToken, factor, root);                              \
    }

INDEX_QUERY(index_query_d32_e4m3, 1)
INDEX_QUERY(index_query_d64_e4m3, 2)
INDEX_QUERY(index_query_d128_e4m3, 4)
