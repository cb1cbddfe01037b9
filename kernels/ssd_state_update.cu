// ssd_state_update: Mamba-2's recurrence, token by token, the state in registers: decode, and prefill step by step.
//
// Math      delta = softplus(dt[t,h] + dtBias[h]); S[d,n] <- exp(-delta*exp(aLog[h])) * S[d,n] + delta*x[t,h,d]*b[t,g,n];
//           y[t,h,d] = sum_n S[d,n]*c[t,g,n] + skip[h]*x[t,h,d]; S starts from zero where the sequence has no past
// Shapes    x, y [T,Q,D], b, c [T,G,N], dt [T,Q], aLog, dtBias, skip [Q] float32, state [slots,Q,D,N] in S; starts [B+1],
//           past, slots [B] int32; N a power of two from 32 to 128, G divides Q, any D, lengths of at least 1
// Layout    tokens of x, b, c, dt lie ldx, ldb, ldc, ldd elements apart (ldb and ldc multiples of 8, b and c 16-byte
//           aligned), heads and groups follow each other; y and state are contiguous
// Roofline  bytes = state read and written = 2*B*Q*D*N*size(S), flops = 6*T*Q*D*N: bandwidth-bound everywhere
// Launch    grid (ceil(D*N/8192), Q, B), block (256), no dynamic shared memory; a block has 8192/N rows of a head's state,
//           32 elements a thread, in registers over all tokens of its sequence
// Numerics  float32; the output is of the state before it is rounded to S
// Source    Dao and Gu 2024 (Mamba-2), §7.1
#include "common/recurrent.cuh"

constexpr int THREADS = 256;
constexpr int PER_THREAD = 32;

template <class S>
static __device__ void update(bf16* y, S* state, const bf16* x, const bf16* b, const bf16* c, const bf16* dt,
                              const float* aLog, const float* dtBias, const float* skip, const int* starts,
                              const int* past, const int* slots, int heads, int D, int groups, int N, int64_t ldx,
                              int64_t ldb, int64_t ldc, int64_t ldd) {
    constexpr int W = WIDE<S>;
    constexpr int VECTORS = PER_THREAD / W;
    const int head = blockIdx.y;
    const int sequence = blockIdx.z;
    const int group = head / (heads / groups);
    const int lanes = N / W;                  // threads that share a row of the state: a power of two, at most 32
    const int column = threadIdx.x % lanes * W;
    const int rows = THREADS / lanes;         // rows that the block reaches at once
    const int firstRow = blockIdx.x * rows * VECTORS + threadIdx.x / lanes;
    S* own = state + (static_cast<int64_t>(slots[sequence]) * heads + head) * D * N + column;
    float s[VECTORS][W];
    const bool fresh = past[sequence] == 0;
#pragma unroll
    for (int i = 0; i < VECTORS; i++) {
        const int row = firstRow + i * rows;
        if (!fresh && row < D) {
            load(s[i], own + static_cast<int64_t>(row) * N);
        } else {
#pragma unroll
            for (int j = 0; j < W; j++) {
                s[i][j] = 0;
            }
        }
    }
    const float a = -expf(aLog[head]);
    const float bias = dtBias[head];
    const float through = skip[head];
    const int64_t until = starts[sequence + 1];
    for (int64_t t = starts[sequence]; t < until; t++) {
        const float delta = softplus(__bfloat162float(dt[t * ldd + head]) + bias);
        const float decay = expf(delta * a);
        float in[W], out[W];
        loadSome(in, b + t * ldb + group * N + column);
        loadSome(out, c + t * ldc + group * N + column);
#pragma unroll
        for (int i = 0; i < VECTORS; i++) {
            const int row = firstRow + i * rows;
            const float value = row < D ? __bfloat162float(x[t * ldx + static_cast<int64_t>(head) * D + row]) : 0;
            float sum = 0;
#pragma unroll
            for (int j = 0; j < W; j++) {
                s[i][j] = decay * s[i][j] + delta * value * in[j];
                sum += s[i][j] * out[j];
            }
            for (int distance = lanes / 2; distance > 0; distance /= 2) {
                sum += __shfl_xor_sync(0xFFFFFFFFu, sum, distance);
            }
            if (column == 0 && row < D) {
                y[(t * heads + head) * D + row] = __float2bfloat16_rn(sum + through * value);
            }
        }
    }
#pragma unroll
    for (int i = 0; i < VECTORS; i++) {
        const int row = firstRow + i * rows;
        if (row < D) {
            store(own + static_cast<int64_t>(row) * N, s[i]);
        }
    }
}

#define SSD_STATE_UPDATE(SUFFIX, S)                                                                                     \
    extern "C" __global__ __launch_bounds__(THREADS, 2) void ssd_state_update_##SUFFIX(                                 \
        bf16* y, S* state, const bf16* x, const bf16* b, const bf16* c, const bf16* dt, const float* aLog,              \
        const float* dtBias, const float* skip, const int* starts, const int* past, const int* slots, int heads, int D, \
        int groups, int N, int64_t ldx, int64_t ldb, int64_t ldc, int64_t ldd) {                                        \
        update(y, state, x, b, c, dt, aLog, dtBias, skip, starts, past, slots, heads, D, groups, N, ldx, ldb, ldc, ldd); \
    }

SSD_STATE_UPDATE(f32, float)
SSD_STATE_UPDATE(f16, __half)
SSD_STATE_UPDATE(bf16, bf16)
