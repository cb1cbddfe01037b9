// ssd_state_update: Mamba-2's recurrence, token by token, the state in registers: decode, and prefill of odd heads.
//
// Math      delta = softplus(dt[t,h] + dtBias[h]); S[d,n] <- exp(-delta*exp(aLog[h])) * S[d,n] + delta*x[t,h,d]*b[t,g,n];
//           y[t,h,d] = sum_n S[d,n]*c[t,g,n] + skip[h]*x[t,h,d]; S starts from zero where the sequence has no past
// Shapes    x, y [T,Q,D], b, c [T,G,N], dt [T,Q], aLog, dtBias, skip [Q] float32, state [slots,Q,D,N] in S; starts [B+1],
//           past, slots [B] int32; N a power of two from 32 to 128, G divides Q, any D, lengths of at least 1
// Layout    tokens of x, b, c, dt lie ldx, ldb, ldc, ldd elements apart (ldb and ldc multiples of 8, b and c 16-byte
//           aligned), heads and groups follow each other; y and state are contiguous
// Roofline  bytes = state read and written = 2*B*Q*D*N*size(S), flops = 6*T*Q*D*N: bandwidth-bound everywhere
// Launch    grid (ceil(D*N*size(S)/16384), Q, B), block (256), no dynamic shared memory; a block has 16 KB of a head's
//           state, 64 bytes a thread: one token's step takes them as they lie, several tokens' half of them at a time
// Numerics  float32; the output is of the state before it is rounded to S
// Source    Dao and Gu 2024 (Mamba-2), §7.1
#include "common/recurrent.cuh"

constexpr int THREADS = 256;
constexpr int VECTORS = 4; // 16-byte vectors of a state that a thread has

// A block's place in a head's state, and the head's scalars.
template <class S>
struct Place {
    static constexpr int W = WIDE<S>;
    int lanes;    // threads that share a row of the state: a power of two, at most 32
    int column;   // of the thread's vectors
    int firstRow; // and every `rows` further
    int rows;
    float rate, bias, skip;

    // Sums over the threads of a row.
    __device__ float total(float sum) const {
        for (int distance = lanes / 2; distance > 0; distance /= 2) {
            sum += __shfl_xor_sync(0xFFFFFFFFu, sum, distance);
        }
        return sum;
    }
};

// One token: the state goes by as it lies in memory.
template <class S>
static __device__ void single(const Place<S>& place, bf16* y, S* own, const bf16* x, const bf16* b, const bf16* c, float dt,
                              bool fresh, int D, int N) {
    constexpr int W = WIDE<S>;
    uint4 raw[VECTORS];
    bf16 value[VECTORS];
    float in[W], out[W];
#pragma unroll
    for (int i = 0; i < VECTORS; i++) {
        const int row = place.firstRow + i * place.rows;
        raw[i] = fresh || row >= D ? make_uint4(0, 0, 0, 0) : *reinterpret_cast<const uint4*>(own + row * N);
        value[i] = row < D ? x[row] : __float2bfloat16_rn(0);
    }
    loadSome(in, b + place.column);
    loadSome(out, c + place.column);
    const float delta = softplus(dt + place.bias);
    const float decay = expf(delta * place.rate);
#pragma unroll
    for (int i = 0; i < VECTORS; i++) {
        const int row = place.firstRow + i * place.rows;
        float s[W];
        widen(s, raw[i], own);
        const float step = delta * __bfloat162float(value[i]);
        float sum = 0;
#pragma unroll
        for (int j = 0; j < W; j++) {
            s[j] = decay * s[j] + step * in[j];
            sum += s[j] * out[j];
        }
        if (row < D) {
            store(own + row * N, s);
        }
        sum = place.total(sum);
        if (place.column == 0 && row < D) {
            y[row] = __float2bfloat16_rn(sum + place.skip * __bfloat162float(value[i]));
        }
        __syncwarp(); // one vector after the other: all of them widened at once would not fit
    }
}

// Many tokens, two vectors of the state at a time in float32.
template <class S>
static __device__ void several(const Place<S>& place, bf16* y, S* own, const bf16* x, const bf16* b, const bf16* c,
                               const bf16* dt, bool fresh, int length, int D, int N, int64_t ldy, int64_t ldx, int64_t ldb,
                               int64_t ldc, int64_t ldd) {
    constexpr int W = WIDE<S>;
    constexpr int HELD = VECTORS / 2;
    for (int first = place.firstRow; first < place.firstRow + VECTORS * place.rows; first += HELD * place.rows) {
        float s[HELD][W];
#pragma unroll
        for (int i = 0; i < HELD; i++) {
            const int row = first + i * place.rows;
            if (!fresh && row < D) {
                load(s[i], own + row * N);
            } else {
#pragma unroll
                for (int j = 0; j < W; j++) {
                    s[i][j] = 0;
                }
            }
        }
        for (int t = 0; t < length; t++) {
            const float delta = softplus(__bfloat162float(dt[t * ldd]) + place.bias);
            const float decay = expf(delta * place.rate);
            float in[W], out[W];
            loadSome(in, b + t * ldb + place.column);
            loadSome(out, c + t * ldc + place.column);
#pragma unroll
            for (int i = 0; i < HELD; i++) {
                const int row = first + i * place.rows;
                const float value = row < D ? __bfloat162float(x[t * ldx + row]) : 0;
                const float step = delta * value;
                float sum = 0;
#pragma unroll
                for (int j = 0; j < W; j++) {
                    s[i][j] = decay * s[i][j] + step * in[j];
                    sum += s[i][j] * out[j];
                }
                sum = place.total(sum);
                if (place.column == 0 && row < D) {
                    y[t * ldy + row] = __float2bfloat16_rn(sum + place.skip * value);
                }
            }
        }
#pragma unroll
        for (int i = 0; i < HELD; i++) {
            const int row = first + i * place.rows;
            if (row < D) {
                store(own + row * N, s[i]);
            }
        }
    }
}

template <class S>
static __device__ void update(bf16* y, S* state, const bf16* x, const bf16* b, const bf16* c, const bf16* dt,
                              const float* aLog, const float* dtBias, const float* skip, const int* starts,
                              const int* past, const int* slots, int heads, int D, int groups, int N, int64_t ldx,
                              int64_t ldb, int64_t ldc, int64_t ldd) {
    const int head = blockIdx.y;
    const int sequence = blockIdx.z;
    const int64_t begin = starts[sequence];
    const int length = starts[sequence + 1] - static_cast<int>(begin);
    const bool fresh = past[sequence] == 0;
    const int group = head / (heads / groups);
    Place<S> place;
    place.lanes = N / WIDE<S>;
    place.column = threadIdx.x % place.lanes * WIDE<S>;
    place.rows = THREADS / place.lanes;
    place.firstRow = blockIdx.x * place.rows * VECTORS + threadIdx.x / place.lanes;
    place.rate = -expf(aLog[head]);
    place.bias = dtBias[head];
    place.skip = skip[head];
    S* own = state + (static_cast<int64_t>(slots[sequence]) * heads + head) * D * N + place.column;
    y += (begin * heads + head) * D;
    x += begin * ldx + static_cast<int64_t>(head) * D;
    b += begin * ldb + group * N;
    c += begin * ldc + group * N;
    dt += begin * ldd + head;
    if (length == 1) {
        single(place, y, own, x, b, c, __bfloat162float(*dt), fresh, D, N);
    } else {
        several(place, y, own, x, b, c, dt, fresh, length, D, N, static_cast<int64_t>(heads) * D, ldx, ldb, ldc, ldd);
    }
}

#define SSD_STATE_UPDATE(SUFFIX, S)                                                                                     \
    extern "C" __global__ __launch_bounds__(THREADS, 3) void ssd_state_update_##SUFFIX(                                 \
        bf16* y, S* state, const bf16* x, const bf16* b, const bf16* c, const bf16* dt, const float* aLog,              \
        const float* dtBias, const float* skip, const int* starts, const int* past, const int* slots, int heads, int D, \
        int groups, int N, int64_t ldx, int64_t ldb, int64_t ldc, int64_t ldd) {                                        \
        update(y, state, x, b, c, dt, aLog, dtBias, skip, starts, past, slots, heads, D, groups, N, ldx, ldb, ldc, ldd); \
    }

SSD_STATE_UPDATE(f32, float)
SSD_STATE_UPDATE(f16, __half)
SSD_STATE_UPDATE(bf16, bf16)
