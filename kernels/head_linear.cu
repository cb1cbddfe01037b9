// head_linear: a product per head with a part of one weight matrix, MLA's absorbed form, on the tensor cores.
//
// Math      plain:      y[t,h,n] = sum_k x[t,h,k] * w[h*headRows + firstRow + n, k]
//           transposed: y[t,h,n] = sum_k x[t,h,k] * w[h*headRows + firstRow + k, n]
// Shapes    x [T,Q,K], w [Q*headRows, C], C = K (plain) or N (transposed), y [T,Q,N], bf16, y of transposed also e4m3
//           with scale 1, at most 448 in size; any sizes >= 1
// Layout    w row-major and contiguous; x and y with steps between tokens and heads, in elements, the last axis without
//           gaps. Where bases, steps and C are multiples of 16 bytes they move in 16-byte chunks, else by elements
// Roofline  bytes = 2*Q*(N*K + T*(K+N)), of codes T*Q*N less, flops = 2*T*Q*N*K; Q=128, 128 x 512: memory-bound below T = 450 on an H100
// Launch    grid (ceil(N/128), ceil(T/64), Q) with ceil(T/64), Q <= 65535, block (256), dynamic shared 73728 bytes,
//           which the kernel's attribute must allow; a block makes 64 tokens by 128 columns of one head
// Numerics  |err| <= 2^-8 * |y| + 4 * sqrt(K) * 2^-23 * sum_k |x * w|, of codes 2^-4 in place of 2^-8 and 2^-10 beside it
// Source    DeepSeek-V2, section 2.1.2: W_UK absorbed into the query, W_UV into the output
#include "common/async_copy.cuh"
#include "common/bf16.cuh"
#include "common/latent.cuh"
#include "common/warp_product.cuh"
#include "common/wgmma.cuh"

constexpr int TOKENS = 64, COLUMNS = 128, STEP = 64, STAGES = 3;
constexpr int X_BYTES = TOKENS * STEP * 2, STAGE_BYTES = X_BYTES + COLUMNS * STEP * 2;

// One matrix as a stage reads it: rows of `length` elements `stride` apart.
struct Source {
    const bf16* first;
    long long stride;
    int rows, length;
    bool wide; // 16-byte chunks are aligned

    __device__ Source(const bf16* first, long long stride, int rows, int length)
        : first(first), stride(stride), rows(rows), length(length),
          wide(((reinterpret_cast<size_t>(first) | stride * 2) & 15) == 0) {}

    // Eight elements of row r from column c on go to shared memory; zeros outside the matrix.
    __device__ void copy(char* shared, uint32_t to, int r, int c) const {
        const bf16* from = first + r * stride + c;
        if (r >= rows || c >= length) {
            *reinterpret_cast<uint4*>(shared + to) = make_uint4(0, 0, 0, 0);
        } else if (wide && c + 8 <= length) {
            copyAsync16(sharedAddress(shared) + to, from, true);
        } else {
            for (int i = 0; i < 8; i++) {
                reinterpret_cast<bf16*>(shared + to)[i] = c + i < length ? from[i] : __float2bfloat16_rn(0);
            }
        }
    }
};

template <bool TRANSPOSED>
__device__ void copyStage(char* stage, const Source& x, const Source& w, int firstToken, int n0, int k0) {
    for (int i = threadIdx.x; i < TOKENS * 8; i += 256) {
        x.copy(stage, swizzledChunk(i / 8, i % 8), firstToken + i / 8, k0 + i % 8 * 8);
    }
    for (int i = threadIdx.x; i < COLUMNS * 8; i += 256) {
        if (TRANSPOSED) { // two tiles of 64 columns side by side, a row for each k
            const int k = i / 16, c = i % 16;
            w.copy(stage, X_BYTES + c / 8 * (STEP * 128) + swizzledChunk(k, c % 8), k0 + k, n0 + c * 8);
        } else { // a row for each column of y
            w.copy(stage, X_BYTES + swizzledChunk(i / 8, i % 8), n0 + i / 8, k0 + i % 8 * 8);
        }
    }
}

// Adds 64 elements of K to a warp's 32 tokens by 32 columns: warps stand 2 by 4.
template <bool TRANSPOSED>
__device__ void multiplyStage(float (&sums)[2][4][4], uint32_t stage) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, token = warp / 4 * 32, column = warp % 4 * 32;
#pragma unroll
    for (int k = 0; k < STEP; k += 16) {
        uint32_t a[2][4], b[4][2];
#pragma unroll
        for (int i = 0; i < 2; i++) {
            loadMatrices(a[i], stage + swizzledChunk(token + i * 16 + lane % 16, k / 8 + lane / 16));
        }
#pragma unroll
        for (int j = 0; j < 4; j += 2) { // 16 columns: [k half][column half] in the order of b
            const int n = column + j * 8;
            uint32_t four[4];
            if (TRANSPOSED) {
                const int chunk = n / 8 + lane / 16;
                loadMatricesTransposed(four, stage + X_BYTES + chunk / 8 * (STEP * 128) +
                                                 swizzledChunk(k + lane % 16, chunk % 8));
            } else {
                loadMatrices(four, stage + X_BYTES + swizzledChunk(n + lane / 16 * 8 + lane % 8, k / 8 + lane / 8 % 2));
            }
            b[j][0] = four[0];
            b[j][1] = four[1];
            b[j + 1][0] = four[2];
            b[j + 1][1] = four[3];
        }
#pragma unroll
        for (int i = 0; i < 2; i++) {
#pragma unroll
            for (int j = 0; j < 4; j++) {
                addWarpProduct(sums[i][j], a[i], b[j]);
            }
        }
    }
}

__device__ void storePair(bf16* to, float a, float b) {
    *reinterpret_cast<uint32_t*>(to) = packBf16(a, b);
}

__device__ void storePair(e4m3* to, float a, float b) {
    *reinterpret_cast<uint16_t*>(to) = __nv_cvt_float2_to_fp8x2(make_float2(a, b), __NV_SATFINITE, __NV_E4M3);
}

// The block's sums, rounded, through shared memory, so that rows of y are written in 16-byte chunks where they can be.
template <class Y>
__device__ void storeTile(Y* y, long long stride, char* shared, const float (&sums)[2][4][4], int rows, int columns) {
    constexpr int CHUNK = 16 / sizeof(Y);
    constexpr int PITCH = COLUMNS + CHUNK; // elements; off the power of two, for the banks
    Y* staged = reinterpret_cast<Y*>(shared);
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
#pragma unroll
    for (int i = 0; i < 16; i++) {
        const float* d = &sums[i / 8][i / 2 % 4][i % 2 * 2];
        const int t = warp / 4 * 32 + i / 8 * 16 + i % 2 * 8 + lane / 4;
        const int n = warp % 4 * 32 + i / 2 % 4 * 8 + lane % 4 * 2;
        storePair(staged + t * PITCH + n, d[0], d[1]);
    }
    __syncthreads();
    const bool wide = ((reinterpret_cast<size_t>(y) | stride * sizeof(Y)) & 15) == 0;
    for (int i = threadIdx.x; i < rows * (COLUMNS / CHUNK); i += 256) {
        const int t = i / (COLUMNS / CHUNK), n = i % (COLUMNS / CHUNK) * CHUNK;
        if (wide && n + CHUNK <= columns) {
            *reinterpret_cast<uint4*>(y + t * stride + n) = *reinterpret_cast<const uint4*>(staged + t * PITCH + n);
        } else {
            for (int j = 0; j < CHUNK && n + j < columns; j++) {
                y[t * stride + n + j] = staged[t * PITCH + n + j];
            }
        }
    }
}

template <bool TRANSPOSED, class Y>
__device__ void headLinear(Y* y, const bf16* x, const bf16* w, int T, int N, int K, int headRows, int firstRow,
                           long long xToken, long long xHead, long long yToken, long long yHead) {
    extern __shared__ __align__(1024) char shared[];
    const long long h = blockIdx.z;
    const int n0 = blockIdx.x * COLUMNS, t0 = blockIdx.y * TOKENS, steps = (K + STEP - 1) / STEP;
    const int width = TRANSPOSED ? N : K;
    const Source tokens(x + h * xHead, xToken, T, K);
    const Source weights(w + (h * headRows + firstRow) * width, width, TRANSPOSED ? K : N, width);
    auto copy = [&](int step) {
        if (step < steps) {
            copyStage<TRANSPOSED>(shared + step % STAGES * STAGE_BYTES, tokens, weights, t0, n0, step * STEP);
        }
        closeCopyGroup();
    };
    for (int step = 0; step < STAGES - 1; step++) {
        copy(step);
    }
    float sums[2][4][4] = {};
    for (int step = 0; step < steps; step++) {
        awaitCopyGroups<STAGES - 2>();
        __syncthreads();
        copy(step + STAGES - 1);
        multiplyStage<TRANSPOSED>(sums, sharedAddress(shared) + step % STAGES * STAGE_BYTES);
    }
    __syncthreads();
    storeTile(y + t0 * yToken + h * yHead + n0, yToken, shared, sums, min(TOKENS, T - t0), min(COLUMNS, N - n0));
}

extern "C" __global__ __launch_bounds__(256, 3)
void head_linear_plain_bf16(bf16* __restrict__ y, const bf16* __restrict__ x, const bf16* __restrict__ w, int T, int N,
                            int K, int headRows, int firstRow, long long xToken, long long xHead, long long yToken,
                            long long yHead) {
    headLinear<false>(y, x, w, T, N, K, headRows, firstRow, xToken, xHead, yToken, yHead);
}

extern "C" __global__ __launch_bounds__(256, 3)
void head_linear_transposed_bf16(bf16* __restrict__ y, const bf16* __restrict__ x, const bf16* __restrict__ w, int T,
                                 int N, int K, int headRows, int firstRow, long long xToken, long long xHead,
                                 long long yToken, long long yHead) {
    headLinear<true>(y, x, w, T, N, K, headRows, firstRow, xToken, xHead, yToken, yHead);
}

extern "C" __global__ __launch_bounds__(256, 3)
void head_linear_transposed_e4m3(e4m3* __restrict__ y, const bf16* __restrict__ x, const bf16* __restrict__ w, int T,
                                 int N, int K, int headRows, int firstRow, long long xToken, long long xHead,
                                 long long yToken, long long yHead) {
    headLinear<true>(y, x, w, T, N, K, headRows, firstRow, xToken, xHead, yToken, yHead);
}
