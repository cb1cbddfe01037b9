// causal_conv1d: causal convolution of each channel along its sequence, then SiLU; four taps.
//
// Math      y[t,i] = silu(bias[i] + sum_j w[i,j] * x[t-3+j,i]); inputs before the step are the state's, or zero where the
//           sequence has no past; afterwards the state holds the last three inputs
// Shapes    x [T,I], w [I,4], bias [I] float32 or null, state [slots,I,3], y [T,I]; starts [B+1], past [B], slots [B]
//           int32; any I, B and lengths
// Layout    rows of x and y lie ldx and ldy elements apart; w, bias and state are contiguous, w 8-byte aligned. wide: I, ldx
//           and ldy are multiples of 8, everything is 16-byte aligned. x and y do not overlap
// Roofline  bytes = 2*(2*T*I + 7*I + 3*I*(B + sequences with a past)), flops = 8*T*I: bandwidth-bound everywhere
// Launch    grid (ceil(I/(128*W)), ceil(longest/TILE), B), neighbours reading parts of the same rows; block (128), static
//           shared W*4 KB; longest <= 65,535*TILE. wide: W = 8 channels a thread, TILE = 32 tokens, else 1 and 16. A thread
//           has 16 of its rows on their way and walks over them, the last three, the taps and the bias in registers as
//           floats. The first tile's block reads the state and then replaces it. step_wide: W = 8, no sequence has more
//           than one token, no shared memory
// Numerics  |err| <= (2^-8 + 2^-20) * |y| + 16*2^-24 * rms: exponential and reciprocal are the fast ones
// Source    Dao and Gu 2024 (Mamba-2), §7.1
#include "common/async_copy.cuh"
#include "common/exp2.cuh"
#include "common/recurrent.cuh"

constexpr int TAPS = 4;
constexpr int BEFORE = TAPS - 1;
constexpr int THREADS = 128;
constexpr int AHEAD = 4; // groups of TAPS tokens that are on their way

template <int W>
constexpr int TILE = W == 8 ? 32 : 16;

// W channels of one token as they lie in memory.
template <int W>
struct Inputs {
    uint4 raw;
    __device__ void read(const bf16* p) { raw = *reinterpret_cast<const uint4*>(p); }
    __device__ float operator[](int j) const {
        const uint32_t word = j / 2 == 0 ? raw.x : j / 2 == 1 ? raw.y : j / 2 == 2 ? raw.z : raw.w;
        return j % 2 == 0 ? lowBf16(word) : highBf16(word);
    }
};
template <>
struct Inputs<1> {
    bf16 raw;
    __device__ void read(const bf16* p) { raw = *p; }
    __device__ float operator[](int) const { return __bfloat162float(raw); }
};

// 1/v to about a unit of float32; 0 where that would be subnormal.
static __device__ __forceinline__ float fastReciprocal(float v) {
    float y;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(v));
    return y;
}

// Rows of inputs as floats; token t has row t % TAPS, so that a token takes the place of the one that its sum needs no more.
template <int W>
using Rows = float[TAPS][W];

// Taps and bias of a thread's channels.
template <int W>
struct Filter {
    float tap[TAPS][W];
    float bias[W];

    __device__ void read(const bf16* w, const float* b, int channel) {
        constexpr int TOGETHER = W == 8 ? 2 : 1; // channels whose taps one access has
#pragma unroll
        for (int j = 0; j < W; j += TOGETHER) {
            uint2 taps[TOGETHER];
            if constexpr (W == 8) {
                const uint4 both = *reinterpret_cast<const uint4*>(w + (channel + j) * TAPS);
                taps[0] = make_uint2(both.x, both.y), taps[1] = make_uint2(both.z, both.w);
            } else {
                taps[0] = reinterpret_cast<const uint2*>(w)[channel];
            }
#pragma unroll
            for (int i = 0; i < TOGETHER; i++) {
                tap[0][j + i] = lowBf16(taps[i].x), tap[1][j + i] = highBf16(taps[i].x);
                tap[2][j + i] = lowBf16(taps[i].y), tap[3][j + i] = highBf16(taps[i].y);
            }
        }
        if (b == nullptr) {
#pragma unroll
            for (int j = 0; j < W; j++) {
                bias[j] = 0;
            }
        } else if constexpr (W == 8) {
            const float4 low = *reinterpret_cast<const float4*>(b + channel);
            const float4 high = *reinterpret_cast<const float4*>(b + channel + 4);
            bias[0] = low.x, bias[1] = low.y, bias[2] = low.z, bias[3] = low.w;
            bias[4] = high.x, bias[5] = high.y, bias[6] = high.z, bias[7] = high.w;
        } else {
            bias[0] = b[channel];
        }
    }

    // silu of the sums of token i of a group, to y where it exists.
    __device__ void apply(bf16* y, const Rows<W>& rows, int i, bool exists) const {
        float sum[W];
#pragma unroll
        for (int j = 0; j < W; j++) {
            sum[j] = bias[j];
#pragma unroll
            for (int k = 0; k < TAPS; k++) {
                sum[j] += tap[k][j] * rows[(i + 1 + k) % TAPS][j];
            }
            // Towards 0 where the power overflows.
            sum[j] *= fastReciprocal(1 + fastExp2(-1.44269504f * sum[j]));
        }
        if (exists) {
            store(y, sum);
        }
    }
};

// The inputs before a sequence's first token, as they lie in its state: three of each channel.
template <int W>
static __device__ void readState(float (&carried)[BEFORE * W], const bf16* own) {
#pragma unroll
    for (int part = 0; part < BEFORE; part++) {
        float v[W];
        load(v, own + part * W);
#pragma unroll
        for (int j = 0; j < W; j++) {
            carried[part * W + j] = v[j];
        }
    }
}

template <int W>
static __device__ void writeState(bf16* own, const float (&kept)[BEFORE * W]) {
#pragma unroll
    for (int part = 0; part < BEFORE; part++) {
        float v[W];
#pragma unroll
        for (int j = 0; j < W; j++) {
            v[j] = kept[part * W + j];
        }
        store(own + part * W, v);
    }
}

// Rows before the first token, from the state, which then takes the last inputs: length-3 .. length-1, the first of them
// from the old state where the step is short.
template <int W>
static __device__ void carry(Rows<W>& rows, bf16* own, const bf16* x, int64_t ldx, int length, bool fresh) {
    float carried[BEFORE * W] = {}, kept[BEFORE * W]; // [channel][input]
    if (!fresh) {
        readState<W>(carried, own);
    }
#pragma unroll
    for (int back = 0; back < BEFORE; back++) {
        const int at = length - BEFORE + back;
        Inputs<W> input = {};
        if (at >= 0) {
            input.read(x + at * ldx);
        }
#pragma unroll
        for (int j = 0; j < W; j++) {
            rows[1 + back][j] = carried[j * BEFORE + back];
            kept[j * BEFORE + back] = at >= 0 ? input[j] : at == -1 ? carried[j * BEFORE + 2] : carried[j * BEFORE + 1];
        }
    }
    writeState<W>(own, kept);
}

template <int W>
static __device__ void convolve(bf16* y, bf16* state, const bf16* x, const bf16* w, const float* bias, const int* starts,
                                const int* past, const int* slots, int I, int64_t ldx, int64_t ldy) {
    __shared__ __align__(16) Inputs<W> ring[AHEAD][TAPS][THREADS]; // each thread's own: nobody waits for others
    const int sequence = blockIdx.z;
    const int first = blockIdx.y * TILE<W>;
    const int channel = (blockIdx.x * THREADS + threadIdx.x) * W;
    const int64_t begin = starts[sequence];
    const int length = starts[sequence + 1] - static_cast<int>(begin);
    if (channel >= I || first >= length) {
        return;
    }
    x += begin * ldx + channel;
    y += (begin + first) * ldy + channel;
    const int count = min(TILE<W>, length - first);
    const bf16* next = x + first * ldx; // row to ask for
    int asked = 0;
    auto fetch = [&](int place) {
#pragma unroll
        for (int i = 0; i < TAPS; i++) {
            if (asked + i < count) {
                Inputs<W>& to = ring[place][i][threadIdx.x];
                if constexpr (W == 8) {
                    copyAsync16(sharedAddress(&to), next, true);
                } else {
                    to.read(next);
                }
            }
            next += ldx;
        }
        asked += TAPS;
        closeCopyGroup();
    };
#pragma unroll
    for (int place = 0; place < AHEAD; place++) {
        fetch(place);
    }
    Rows<W> rows;
    if (first > 0) {
#pragma unroll
        for (int back = 0; back < BEFORE; back++) {
            Inputs<W> input;
            input.read(x + (first - BEFORE + back) * ldx);
#pragma unroll
            for (int j = 0; j < W; j++) {
                rows[1 + back][j] = input[j];
            }
        }
    } else {
        bf16* own = state + (static_cast<int64_t>(slots[sequence]) * I + channel) * BEFORE;
        carry<W>(rows, own, x, ldx, length, past[sequence] == 0);
    }
    Filter<W> filter;
    filter.read(w, bias, channel);
#pragma unroll 1
    for (int token = 0; token < count; token += TAPS) {
        const int place = token / TAPS % AHEAD;
        awaitCopyGroups<AHEAD - 1>();
#pragma unroll
        for (int i = 0; i < TAPS; i++) {
            const Inputs<W> input = ring[place][i][threadIdx.x];
#pragma unroll
            for (int j = 0; j < W; j++) {
                rows[i][j] = input[j];
            }
            filter.apply(y, rows, i, token + i < count);
            y += ldy;
        }
        fetch(place);
    }
}

// One token of each sequence: all that a thread needs is asked for at once.
template <int W>
static __device__ void step(bf16* y, bf16* state, const bf16* x, const bf16* w, const float* bias, const int* starts,
                            const int* past, const int* slots, int I, int64_t ldx, int64_t ldy) {
    const int sequence = blockIdx.z;
    const int channel = (blockIdx.x * THREADS + threadIdx.x) * W;
    const int64_t token = starts[sequence];
    if (channel >= I || starts[sequence + 1] == token) {
        return;
    }
    bf16* own = state + (static_cast<int64_t>(slots[sequence]) * I + channel) * BEFORE;
    float carried[BEFORE * W];
    readState<W>(carried, own);
    Inputs<W> input;
    input.read(x + token * ldx + channel);
    Filter<W> filter;
    filter.read(w, bias, channel);
    const bool fresh = past[sequence] == 0; // its slot may hold anything, which must not be multiplied
    Rows<W> rows;
    float kept[BEFORE * W];
#pragma unroll
    for (int j = 0; j < W; j++) {
#pragma unroll
        for (int back = 0; back < BEFORE; back++) {
            rows[1 + back][j] = fresh ? 0 : carried[j * BEFORE + back];
        }
        rows[0][j] = input[j];
#pragma unroll
        for (int back = 0; back < BEFORE; back++) {
            kept[j * BEFORE + back] = rows[(2 + back) % TAPS][j];
        }
    }
    writeState<W>(own, kept);
    filter.apply(y + token * ldy + channel, rows, 0, true);
}

extern "C" __global__ __launch_bounds__(THREADS)
void causal_conv1d_bf16(bf16* y, bf16* state, const bf16* x, const bf16* w, const float* bias, const int* starts,
                        const int* past, const int* slots, int I, int64_t ldx, int64_t ldy) {
    convolve<1>(y, state, x, w, bias, starts, past, slots, I, ldx, ldy);
}

extern "C" __global__ __launch_bounds__(THREADS, 4)
void causal_conv1d_wide_bf16(bf16* y, bf16* state, const bf16* x, const bf16* w, const float* bias, const int* starts,
                             const int* past, const int* slots, int I, int64_t ldx, int64_t ldy) {
    convolve<8>(y, state, x, w, bias, starts, past, slots, I, ldx, ldy);
}

extern "C" __global__ __launch_bounds__(THREADS, 6)
void causal_conv1d_step_wide_bf16(bf16* y, bf16* state, const bf16* x, const bf16* w, const float* bias, const int* starts,
                                  const int* past, const int* slots, int I, int64_t ldx, int64_t ldy) {
    step<8>(y, state, x, w, bias, starts, past, slots, I, ldx, ldy);
}
