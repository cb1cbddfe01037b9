// Attention of one query row by one block, any widths, everything in float32: for geometries that no tuned kernel fits.
#pragma once

#include "latent.cuh"
#include "softmax.cuh"

constexpr int ROW_ATTENTION_THREADS = 128;

// Dynamic shared memory that attendRow needs: query, output and scores.
//     4 * (width + values + 128) bytes
//
// out[v] = sum_s softmax_s(scale * sum_d q[d] * key(s, d))[s] * value(s, v) for s < keys, v < values.
template <class Q, class Key, class Value>
__device__ __forceinline__ void attendRow(
    bf16* out, const Q* q, int width, int values, int keys, float scale, Key key, Value value) {
    extern __shared__ float sharedRow[];
    float* query = sharedRow;
    float* sum = query + width;
    float* probability = sum + values;
    __shared__ float warpTop[ROW_ATTENTION_THREADS / 32];
    for (int d = threadIdx.x; d < width; d += ROW_ATTENTION_THREADS) {
        float v[1];
        load(v, q + d);
        query[d] = v[0] * scale * 1.4426950408889634f;
    }
    for (int v = threadIdx.x; v < values; v += ROW_ATTENTION_THREADS) {
        sum[v] = 0;
    }
    float highest = -INFINITY, total = 0;
    for (int first = 0; first < keys; first += ROW_ATTENTION_THREADS) {
        __syncthreads();
        const int s = first + threadIdx.x;
        float score = s < keys ? 0 : -INFINITY;
        for (int d = 0; s < keys && d < width; d++) {
            score += query[d] * key(s, d);
        }
        float top = score;
        for (int distance = 16; distance > 0; distance /= 2) {
            top = fmaxf(top, __shfl_xor_sync(0xFFFFFFFFu, top, distance));
        }
        if (threadIdx.x % 32 == 0) {
            warpTop[threadIdx.x / 32] = top;
        }
        __syncthreads();
        const float before = highest;
        for (float t : warpTop) {
            highest = fmaxf(highest, t);
        }
        const float factor = fastExp2(before - highest); // 0 at first: before is -inf, highest is not
        probability[threadIdx.x] = fastExp2(score - highest);
        __syncthreads();
        const int count = min(ROW_ATTENTION_THREADS, keys - first);
        total *= factor;
        for (int i = 0; i < count; i++) {
            total += probability[i];
        }
        for (int v = threadIdx.x; v < values; v += ROW_ATTENTION_THREADS) {
            float y = sum[v] * factor;
            for (int i = 0; i < count; i++) {
                y += probability[i] * value(first + i, v);
            }
            sum[v] = y;
        }
    }
    for (int v = threadIdx.x; v < values; v += ROW_ATTENTION_THREADS) {
        out[v] = __float2bfloat16_rn(sum[v] / total);
    }
}
