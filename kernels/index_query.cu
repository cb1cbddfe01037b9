// index_query: the lightning indexer's queries, rotated, spread by a Hadamard matrix and rounded to E4M3.
//
// Math      r = q[t,h,:] with its first 2*half elements rotated in halves by table[positions[t]]; u = H_D r / sqrt(D);
//           s = the power of two at or above max(max|u|, 1e-4) / 448; y[t,h,:] = e4m3(u / s);
//           scaled[t,h] = weights[t,h] * (Q*D)^-1/2 * s
// Shapes    q [T,Q,D] bf16, weights [T,Q] float32, positions [T] int32, table [positions,2,half] float32, y [T,Q,D]
//           e4m3, scaled [T,Q] float32; D = 32, 64 or 128, half a power of two, a multiple of D/32 and at most D/2
// Layout    heads of q follow each other, tokens qToken elements apart, a multiple of D/32; pointers of 8 bytes; the
//           rest is contiguous
// Roofline  bytes = T*Q*(3*D + 8), flops = T*Q*D*(1 + log2 D) and the rotation's: bandwidth-bound
// Launch    grid (ceil(T*Q/8)), block (256): a warp for each head, no dynamic shared memory
// Numerics  float32, each operation rounded by itself: the same bits as the reference
// Source    DeepSeek-AI 2025 (DeepSeek-V3.2-Exp), section 2.1 and its inference code
#include "common/index_head.cuh"

template <int E>
static __device__ __forceinline__ void query(e4m3* y, float* scaled, const bf16* q, const float* weights,
                                             const int* positions, const float* table, int T, int Q, int half,
                                             int64_t qToken, float factor, float root) {
    const int64_t head = static_cast<int64_t>(blockIdx.x) * 8 + threadIdx.x / 32;
    if (head >= static_cast<int64_t>(T) * Q) {
        return;
    }
    const int64_t t = head / Q;
    float v[E];
    loadHead(v, q + t * qToken + head % Q * (32 * E));
    rotateHalves(v, table + static_cast<int64_t>(positions[t]) * 2 * half, half);
    hadamard(v, root);
    const float scale = scaleOfHead(v);
    storeHead(y + head * (32 * E), v, scale);
    if (threadIdx.x % 32 == 0) {
        scaled[head] = __fmul_rn(__fmul_rn(weights[head], factor), scale);
    }
}

#define INDEX_QUERY(NAME, E)                                                                                           \
    extern "C" __global__ __launch_bounds__(256) void NAME(                                                            \
        e4m3* y, float* scaled, const bf16* q, const float* weights, const int* positions, const float* table, int T,  \
        int Q, int half, int64_t qToken, float factor, float root) {                                                   \
        query<E>(y, scaled, q, weights, positions, table, T, Q, half, qToken, factor, root);                           \
    }

INDEX_QUERY(index_query_d32_e4m3, 1)
INDEX_QUERY(index_query_d64_e4m3, 2)
INDEX_QUERY(index_query_d128_e4m3, 4)
