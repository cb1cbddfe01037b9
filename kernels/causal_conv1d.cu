// causal_conv1d: causal convolution of each channel along its sequence, then SiLU; four taps.
//
// Math      y[t,i] = silu(bias[i] + sum_j w[i,j] * x[t-3+j,i]); inputs before the step are the state's, or zero where the
//           sequence has no past; afterwards the state holds the last three inputs
// Shapes    x [T,I], w [I,4], bias [I] float32 or null, state [slots,I,3], y [T,I]; starts [B+1], past [B], slots [B]
//           int32; I % 8 == 0, any B and lengths
// Layout    rows of x and y lie ldx and ldy elements apart, both multiples of 8; everything 16-byte aligned; w, bias and
//           state are contiguous. x and y do not overlap
// Roofline  bytes = 2*(2*T*I + 7*I + 3*I*(B + sequences with a past)), flops = 8*T*I: bandwidth-bound everywhere
// Launch    grid (ceil(longest/TILE), ceil(I/1024), B), block (128), no dynamic shared memory, TILE = 32 tokens; a thread
//           walks over its 8 channels of a tile, the last three inputs in registers. The first tile's block reads the
//           state and then replaces it
// Numerics  |err| <= (2^-8 + 2^-20) * |y| + 16*2^-24 * rms: exponential and division are the fast ones
// Source    Dao and Gu 2024 (Mamba-2), §7.1
#include "common/recurrent.cuh"

constexpr int TILE = 32;
constexpr int TAPS = 4;
constexpr int W = 8;

extern "C" __global__ __launch_bounds__(128)
void causal_conv1d_bf16(bf16* y, bf16* state, const bf16* x, const bf16* w, const float* bias, const int* starts,
                        const int* past, const int* slots, int I, int64_t ldx, int64_t ldy) {
    const int sequence = blockIdx.z;
    const int64_t begin = starts[sequence];
    const int length = starts[sequence + 1] - static_cast<int>(begin);
    const int first = blockIdx.x * TILE;
    const int channel = (blockIdx.y * blockDim.x + threadIdx.x) * W;
    if (first >= length || channel >= I) {
        return;
    }
    x += begin * ldx + channel;
    y += begin * ldy + channel;
    float taps[TAPS][W], offset[W], window[TAPS][W];
    for (int half = 0; half < TAPS; half++) { // w is [channel][tap]: eight channels are four vectors
        float v[W];
        load(v, w + static_cast<int64_t>(channel) * TAPS + half * W);
#pragma unroll
        for (int j = 0; j < W; j++) {
            taps[j % TAPS][half * 2 + j / TAPS] = v[j];
        }
    }
#pragma unroll
    for (int j = 0; j < W; j++) {
        offset[j] = bias == nullptr ? 0 : bias[channel + j];
    }
    float carried[3 * W];
    bf16* own = state + (static_cast<int64_t>(slots[sequence]) * I + channel) * 3;
    if (first == 0) {
#pragma unroll
        for (int part = 0; part < 3; part++) {
            float v[W] = {};
            if (past[sequence] > 0) {
                load(v, own + part * W);
            }
#pragma unroll
            for (int j = 0; j < W; j++) {
                carried[part * W + j] = v[j];
            }
        }
#pragma unroll
        for (int back = 0; back < 3; back++) {
#pragma unroll
            for (int j = 0; j < W; j++) {
                window[back][j] = carried[j * 3 + back];
            }
        }
        // The new state: inputs length-3 .. length-1, the first of them from the old one where the step is short.
        float kept[3 * W];
#pragma unroll
        for (int back = 0; back < 3; back++) {
            const int at = length - 3 + back;
            float v[W];
            if (at >= 0) {
                load(v, x + at * ldx);
            } else {
#pragma unroll
                for (int j = 0; j < W; j++) {
                    v[j] = at == -1 ? carried[j * 3 + 2] : carried[j * 3 + 1];
                }
            }
#pragma unroll
            for (int j = 0; j < W; j++) {
                kept[j * 3 + back] = v[j];
            }
        }
#pragma unroll
        for (int part = 0; part < 3; part++) {
            float v[W];
#pragma unroll
            for (int j = 0; j < W; j++) {
                v[j] = kept[part * W + j];
            }
            store(own + part * W, v);
        }
    } else {
#pragma unroll
        for (int back = 0; back < 3; back++) {
            load(window[back], x + (first - 3 + back) * ldx);
        }
    }
    const int last = min(first + TILE, length);
    for (int t = first; t < last; t += TAPS) {
        float input[TAPS][W];
#pragma unroll
        for (int i = 0; i < TAPS; i++) {
            if (t + i < last) {
                load(input[i], x + (t + i) * ldx);
            }
        }
#pragma unroll
        for (int i = 0; i < TAPS; i++) {
            if (t + i < last) {
                float sum[W];
#pragma unroll
                for (int j = 0; j < W; j++) {
                    sum[j] = offset[j];
#pragma unroll
                    for (int tap = 0; tap < TAPS; tap++) {
                        const float v = i + tap < 3 ? window[i + tap][j] : input[i + tap - 3][j];
                        sum[j] += taps[tap][j] * v;
                    }
                    sum[j] *= sigmoid(sum[j]);
                }
                store(y + (t + i) * ldy, sum);
            }
        }
#pragma unroll
        for (int back = 0; back < 3; back++) {
#pragma unroll
            for (int j = 0; j < W; j++) {
                window[back][j] = input[back + 1][j];
            }
        }
    }
}
