// Chunks of Mamba-2's recurrence: what both passes over a segment do with them.
#pragma once

#include "exp2.cuh"
#include "recurrent.cuh"
#include "warp_tiles.cuh"

constexpr int SSD_THREADS = 256;
constexpr int SSD_CHUNK = 128;
constexpr int SSD_D = 64;
constexpr int SSD_N = 128;
constexpr int SSD_STATE = SSD_D * SSD_N / SSD_THREADS; // elements of a head's state that a thread holds

// Scalars of a chunk's tokens; decays are logarithms to base 2.
struct SsdGates {
    float delta[SSD_CHUNK];  // step sizes, 0 behind the sequence's end
    float decay[SSD_CHUNK];  // decays, summed from the chunk's start
    float weight[SSD_CHUNK]; // step size times what is left of a token at the chunk's end
};

// A head's step sizes, loaded by one warp a chunk ahead.
struct SsdSteps {
    const bf16* dt; // of the head
    int64_t step;
    float bias, rate; // rate: -exp(aLog), to base 2
    float raw[4];     // of tokens 4*lane ..

    __device__ void fetch(int token, int until) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const int t = token + threadIdx.x % 32 * 4 + i;
            raw[i] = t < until ? __bfloat162float(dt[t * step]) : -INFINITY;
        }
    }
    __device__ void put(SsdGates& gates) const {
        const int lane = threadIdx.x % 32;
        float delta[4], decay[4], sum = 0;
#pragma unroll
        for (int i = 0; i < 4; i++) {
            delta[i] = raw[i] == -INFINITY ? 0 : softplus(raw[i] + bias);
            sum += delta[i] * rate;
            decay[i] = sum;
        }
        float before = sum; // inclusive over lanes, then exclusive
#pragma unroll
        for (int distance = 1; distance < 32; distance *= 2) {
            const float other = __shfl_up_sync(0xFFFFFFFFu, before, distance);
            before += lane >= distance ? other : 0;
        }
        const float last = __shfl_sync(0xFFFFFFFFu, before, 31);
        before -= sum;
#pragma unroll
        for (int i = 0; i < 4; i++) {
            gates.delta[4 * lane + i] = delta[i];
            gates.decay[4 * lane + i] = before + decay[i];
            gates.weight[4 * lane + i] = fastExp2(last - (before + decay[i])) * delta[i];
        }
    }
};

// A head's state [D,N] in the registers of a block: warp w has rows 16*(w%4) .. and columns 64*(w/4) .., as sums of products.
struct SsdState {
    float s[8][4];

    __device__ static int row() {
        return threadIdx.x / 32 % 4 * 16 + threadIdx.x % 32 / 4;
    }
    __device__ static int column(int tile) {
        return threadIdx.x / 128 * 64 + tile * 8 + threadIdx.x % 4 * 2;
    }
    // Goes over a chunk: decays, and takes in its tokens.
    __device__ void advance(WarpTile<128> x, WarpTile<256> b, const SsdGates& gates) {
        const float kept = fastExp2(gates.decay[SSD_CHUNK - 1]);
#pragma unroll
        for (int j = 0; j < 8; j++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                s[j][i] *= kept;
            }
        }
        const int warp = threadIdx.x / 32;
#pragma unroll 2
        for (int k = 0; k < SSD_CHUNK / 16; k++) {
            uint32_t a[4];
            x.leftTransposed(a, warp % 4 * 16, k);
            const float2 low = *reinterpret_cast<const float2*>(&gates.weight[16 * k + threadIdx.x % 4 * 2]);
            const float2 high = *reinterpret_cast<const float2*>(&gates.weight[16 * k + 8 + threadIdx.x % 4 * 2]);
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const float2 w = i < 2 ? low : high;
                a[i] = packBf16(lowBf16(a[i]) * w.x, highBf16(a[i]) * w.y);
            }
#pragma unroll
            for (int j = 0; j < 8; j += 2) {
                uint32_t operands[2][2];
                b.rightTransposed(operands, warp / 4 * 64 + j * 8, k);
                addWarpProduct(s[j], a, operands[0]);
                addWarpProduct(s[j + 1], a, operands[1]);
            }
        }
    }
    // To and from scratch memory, in the block's own order.
    __device__ void put(float* scratch) const {
#pragma unroll
        for (int j = 0; j < 8; j++) {
            reinterpret_cast<float4*>(scratch)[j * SSD_THREADS + threadIdx.x] =
                make_float4(s[j][0], s[j][1], s[j][2], s[j][3]);
        }
    }
    __device__ void decayAndAdd(float kept, const float* scratch) {
#pragma unroll
        for (int j = 0; j < 8; j++) {
            const float4 v = reinterpret_cast<const float4*>(scratch)[j * SSD_THREADS + threadIdx.x];
            s[j][0] = kept * s[j][0] + v.x, s[j][1] = kept * s[j][1] + v.y;
            s[j][2] = kept * s[j][2] + v.z, s[j][3] = kept * s[j][3] + v.w;
        }
    }
    // From and to the cache, [D,N] in S.
    template <class S>
    __device__ void read(const S* cache) {
#pragma unroll
        for (int j = 0; j < 8; j++) {
#pragma unroll
            for (int h = 0; h < 2; h++) {
                loadPair(s[j][2 * h], s[j][2 * h + 1], cache + (row() + 8 * h) * SSD_N + column(j));
            }
        }
    }
    template <class S>
    __device__ void write(S* cache) const {
#pragma unroll
        for (int j = 0; j < 8; j++) {
#pragma unroll
            for (int h = 0; h < 2; h++) {
                storePair(cache + (row() + 8 * h) * SSD_N + column(j), s[j][2 * h], s[j][2 * h + 1]);
            }
        }
    }
};
