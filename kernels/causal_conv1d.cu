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
//           shared TILE*W/4 KB; TILE = 16 tokens, longest <= 65,535*TILE; W = 8 channels a thread, 1 where not wide. A thread
//           asks for all of its channels' inputs at once and walks over them, the last three in registers. The first tile's
//           block reads the state and then replaces it
// Numerics  |err| <= (2^-8 + 2^-20) * |y| + 16*2^-24 * rms: exponential and division are the fast ones
// Source    Dao and Gu 2024 (Mamba-2), §7.1
#include "common/async_copy.cuh"
#include "common/recurrent.cuh"

constexpr int TILE = 16;
constexpr int TAPS = 4;
constexpr int BEFORE = TAPS - 1;
constexpr int THREADS = 128;

// W channels of one token as they lie in memory.
template <int W>
struct Inputs {
    uint4 raw;
    __device__ void read(const bf16* p) { raw = *reinterpret_cast<const uint4*>(p); }
    __device__ float operator[](int j) const {
        const uint32_t word = j / 2 == 0 ? raw.x : j / 2 == 1 ? raw.y : j / 2 == 2 ? raw.z : raw.w;
        return j % 2 == 0 ? lowBf16(word) : highBf16(word);
    }
    __device__ void put(int j, float v) {
        uint32_t& word = j / 2 == 0 ? raw.x : j / 2 == 1 ? raw.y : j / 2 == 2 ? raw.z : raw.w;
        word = j % 2 == 0 ? packBf16(v, highBf16(word)) : packBf16(lowBf16(word), v);
    }
};
template <>
struct Inputs<1> {
    bf16 raw;
    __device__ void read(const bf16* p) { raw = *p; }
    __device__ float operator[](int) const { return __bfloat162float(raw); }
    __device__ void put(int, float v) { raw = __float2bfloat16_rn(v); }
};

// The inputs before a sequence's first token, from the state, which then takes the last ones: length-3 .. length-1, the first
// of them from the old state where the step is short.
template <int W>
static __device__ void carry(Inputs<W> (&window)[BEFORE], bf16* own, const bf16* x, int64_t ldx, int length, bool fresh) {
    float carried[BEFORE * W] = {}, kept[BEFORE * W]; // [channel][input]
    if (!fresh) {
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
#pragma unroll
    for (int back = 0; back < BEFORE; back++) {
        const int at = length - BEFORE + back;
        Inputs<W> input = {};
        if (at >= 0) {
            input.read(x + at * ldx);
        }
#pragma unroll
        for (int j = 0; j < W; j++) {
            window[back].put(j, carried[j * BEFORE + back]);
            kept[j * BEFORE + back] = at >= 0 ? input[j] : at == -1 ? carried[j * BEFORE + 2] : carried[j * BEFORE + 1];
        }
    }
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

template <int W>
static __device__ void convolve(bf16* y, bf16* state, const bf16* x, const bf16* w, const float* bias, const int* starts,
                                const int* past, const int* slots, int I, int64_t ldx, int64_t ldy) {
    __shared__ __align__(16) Inputs<W> tile[TILE][THREADS]; // each thread's own: nobody waits for others
    const int sequence = blockIdx.z;
    const int first = blockIdx.y * TILE;
    const int channel = (blockIdx.x * THREADS + threadIdx.x) * W;
    const int64_t begin = starts[sequence];
    const int length = starts[sequence + 1] - static_cast<int>(begin);
    if (channel >= I || first >= length) {
        return;
    }
    x += begin * ldx + channel;
    y += begin * ldy + channel;
    const int last = min(first + TILE, length);
#pragma unroll
    for (int i = 0; i < TILE; i++) {
        if (first + i < last) {
            const bf16* from = x + (first + i) * ldx;
            if constexpr (W == 8) {
                copyAsync16(sharedAddress(&tile[i][threadIdx.x]), from, true);
            } else {
                tile[i][threadIdx.x].read(from);
            }
        }
        if (i % TAPS == TAPS - 1) {
            closeCopyGroup();
        }
    }
    uint2 taps[W]; // of each channel, as they lie in memory: half the registers of floats
    float offset[W];
#pragma unroll
    for (int j = 0; j < W; j++) {
        taps[j] = reinterpret_cast<const uint2*>(w)[channel + j];
        offset[j] = bias == nullptr ? 0 : bias[channel + j];
    }
    Inputs<W> window[BEFORE] = {}; // inputs t-3 .. t-1
    if (first > 0) {
#pragma unroll
        for (int back = 0; back < BEFORE; back++) {
            window[back].read(x + (first - BEFORE + back) * ldx);
        }
    } else {
        bf16* own = state + (static_cast<int64_t>(slots[sequence]) * I + channel) * BEFORE;
        carry(window, own, x, ldx, length, past[sequence] == 0);
    }
    auto tokens = [&](int from) {
        Inputs<W> input[BEFORE + TAPS];
#pragma unroll
        for (int i = 0; i < BEFORE + TAPS; i++) {
            input[i] = i < BEFORE ? window[i] : tile[from + i - BEFORE][threadIdx.x];
        }
#pragma unroll
        for (int i = 0; i < TAPS; i++) {
            if (first + from + i < last) {
                float sum[W];
#pragma unroll
                for (int j = 0; j < W; j++) {
                    sum[j] = offset[j] + lowBf16(taps[j].x) * input[i][j] + highBf16(taps[j].x) * input[i + 1][j] +
                             lowBf16(taps[j].y) * input[i + 2][j] + highBf16(taps[j].y) * input[i + 3][j];
                    sum[j] = __fdividef(sum[j], 1 + __expf(-sum[j])); // towards 0 where the exponential overflows
                }
                store(y + (first + from + i) * ldy, sum);
            }
        }
#pragma unroll
        for (int back = 0; back < BEFORE; back++) {
            window[back] = input[TAPS + back];
        }
    };
    awaitCopyGroups<3>();
    tokens(0);
    awaitCopyGroups<2>();
    tokens(TAPS);
    awaitCopyGroups<1>();
    tokens(2 * TAPS);
    awaitCopyGroups<0>();
    tokens(3 * TAPS);
}

extern "C" __global__ __launch_bounds__(THREADS)
void causal_conv1d_bf16(bf16* y, bf16* state, const bf16* x, const bf16* w, const float* bias, const int* starts,
                        const int* past, const int* slots, int I, int64_t ldx, int64_t ldy) {
    convolve<1>(y, state, x, w, bias, starts, past, slots, I, ldx, ldy);
}

extern "C" __global__ __launch_bounds__(THREADS, 6)
void causal_conv1d_wide_bf16(bf16* y, bf16* state, const bf16* x, const bf16* w, const float* bias, const int* starts,
                             const int* past, const int* slots, int I, int64_t ldx, int64_t ldy) {
    convolve<8>(y, state, x, w, bias, starts, past, slots, I, ldx, ldy);
}
