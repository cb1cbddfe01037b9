// index_key_append: the lightning indexer's keys, normalised, rotated, spread and rounded to E4M3 in the paged cache.
//
// Math      n = (k[t,:] - mean) * rsqrt(var + eps) * gain + bias; then as in index_query.cu: elements[row(t),:] =
//           e4m3(u / s), scales[row(t)] = s with row(t) as in latent_append.cu
// Shapes    k [T,D] bf16, gain and bias [D] float32, positions [T], starts [B+1], pageTable [B, tablePages] int32,
//           table [positions,2,half] float32, elements [pages, pageTokens, D] e4m3, scales [pages, pageTokens]
//           float32; D and half as in index_query.cu
// Layout    rows of k lie kRow elements apart, a multiple of D/32; pointers of 8 bytes; the rest is contiguous
// Roofline  bytes = T*(3*D + 4): latency-bound at decode
// Launch    grid (ceil(T/4)), block (128): a warp for each token, no dynamic shared memory
// Numerics  float32; an element that lies halfway between two codes may become either, a scale at its border twice
//           what the reference has with elements half as large
// Source    DeepSeek-AI 2025 (DeepSeek-V3.2-Exp), section 2.1 and its inference code
#include "common/index_head.cuh"
#include "common/paged.cuh"

template <int E>
static __device__ __forceinline__ void append(e4m3* elements, float* scales, const bf16* k, const float* gain,
                                              const float* bias, const int* positions, const float* table,
                                              const Paged& paged, int T, int half, int64_t kRow, float epsilon,
                                              float root) {
    const int t = blockIdx.x * 4 + threadIdx.x / 32;
    if (t >= T) {
        return;
    }
    float v[E];
    loadHead(v, k + t * kRow);
    float sum = 0;
#pragma unroll
    for (int e = 0; e < E; e++) {
        sum += v[e];
    }
    const float mean = warpSum(sum) / (32 * E);
    float squares = 0;
#pragma unroll
    for (int e = 0; e < E; e++) {
        v[e] -= mean;
        squares += v[e] * v[e];
    }
    const float scaleOfNorm = rsqrtf(warpSum(squares) / (32 * E) + epsilon);
#pragma unroll
    for (int e = 0; e < E; e++) {
        const int i = threadIdx.x % 32 * E + e;
        v[e] = v[e] * scaleOfNorm * gain[i] + bias[i];
    }
    const int position = positions[t];
    rotateHalves(v, table + static_cast<int64_t>(position) * 2 * half, half);
    hadamard(v, root);
    const float scale = scaleOfHead(v);
    const int64_t row = paged.row(bisectSequence(paged.starts, paged.sequences, t), position);
    storeHead(elements + row * (32 * E), v, scale);
    if (threadIdx.x % 32 == 0) {
        scales[row] = scale;
    }
}

#define INDEX_KEY_APPEND(NAME, E)                                                                                      \
    extern "C" __global__ __launch_bounds__(128) void NAME(                                                            \
        e4m3* elements, float* scales, const bf16* k, const float* gain, const float* bias, const int* positions,      \
        const float* table, const int* starts, const int* pageTable, int B, int tablePages, int pageTokens, int T,     \
        int half, int64_t kRow, float epsilon, float root) {                                                           \
        const Paged paged{starts, nullptr, pageTable, B, tablePages, pageTokens};                                      \
        append<E>(elements, scales, k, gain, bias, positions, table, paged, T, half, kRow, epsilon, root);             \
    }

INDEX_KEY_APPEND(index_key_append_d32_e4m3, 1)
INDEX_KEY_APPEND(index_key_append_d64_e4m3, 2)
INDEX_KEY_APPEND(index_key_append_d128_e4m3, 4)
