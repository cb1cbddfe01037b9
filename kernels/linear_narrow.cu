// linear_narrow: a dense product with few columns, such as the gate of a shared expert.
//
// Math      y[t,n] = sum_k x[t,k] * w[n,k], float32 products and sums
// Shapes    x [T,K], w [N,K] bf16, y [T,N] bf16 or float32; any T, N, K >= 1, meant for N up to 8
// Layout    row-major; w contiguous, rows of x and y may have gaps; 16-byte accesses where pointers, steps and K allow it
// Roofline  bytes = 2*T*K, flops = 2*T*N*K: bandwidth-bound
// Launch    grid (ceil(T*N/8)), block (256), no dynamic shared memory; a warp for each element of y
// Numerics  |err| <= u * |y| + (K/32 + 6) * 2^-24 * sum_k |x * w|, u = 2^-8 for bf16 results, 0 for float32
// Source    the definition
#include "common/reduce.cuh"
#include "common/rows.cuh"

template <int W>
static __device__ float dot(const bf16* x, const bf16* w, int K) {
    float sum = 0;
#pragma unroll 4
    for (int k = threadIdx.x % 32 * W; k < K; k += 32 * W) {
        float a[W], b[W];
        load(a, x + k);
        load(b, w + k);
#pragma unroll
        for (int j = 0; j < W; j++) {
            sum += a[j] * b[j];
        }
    }
    return warpSum(sum);
}

static __device__ void put(bf16* y, float v) { *y = __float2bfloat16_rn(v); }
static __device__ void put(float* y, float v) { *y = v; }

template <class Y>
static __device__ void product(Y* y, const bf16* x, const bf16* w, int64_t T, int N, int K, int64_t ldx, int64_t ldy) {
    const int64_t element = static_cast<int64_t>(blockIdx.x) * 8 + threadIdx.x / 32;
    const int64_t t = element / N, n = element % N;
    if (t >= T) {
        return;
    }
    const bool wide = wideRows(x, ldx, K) && wideRows(w, K, K);
    x += t * ldx;
    w += n * K;
    const float sum = wide ? dot<8>(x, w, K) : dot<1>(x, w, K);
    if (threadIdx.x % 32 == 0) {
        put(y + t * ldy + n, sum);
    }
}

extern "C" __global__ __launch_bounds__(256)
void linear_narrow_bf16(bf16* y, const bf16* x, const bf16* w, int64_t T, int N, int K, int64_t ldx, int64_t ldy) {
    product(y, x, w, T, N, K, ldx, ldy);
}

extern "C" __global__ __launch_bounds__(256)
void linear_narrow_f32(float* y, const bf16* x, const bf16* w, int64_t T, int N, int K, int64_t ldx, int64_t ldy) {
    product(y, x, w, T, N, K, ldx, ldy);
}
