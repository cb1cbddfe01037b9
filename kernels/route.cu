// route: the k experts of each token and their weights.
//
// Math      sigmoid_groups: s = sigmoid(logits[t,:]), b = s + bias; of `groups` neighbouring groups of E/groups experts
//           the topGroups with the largest sums of their two largest b stay; of those experts the k with the largest b
//           are chosen; weights = s of the chosen, divided by (their sum + 1e-20) if normalise, times scale.
//           softmax: s = softmax(logits[t,:]), b = s + bias (without bias the logits themselves decide); the k with
//           the largest b; weights = s of the chosen, divided by their sum if normalise.
//           Equal values are decided for the lower expert and the lower group; a NaN counts as larger than any number
// Shapes    logits [T,E] float32, bias [E] float32 or null, ids [T,k] int32 best first, weights [T,k] float32;
//           T >= 1, 1 <= k <= 16, k <= E <= 512; groups <= 32 divides E, topGroups * E/groups >= k
// Layout    ids and weights contiguous; rows of logits may have gaps (stride in elements)
// Roofline  bytes = 4*T*E + 8*T*k: 8.5 MB at T=8193, E=256; the chain of k warp-wide maxima is longer than the transfer
// Launch    grid (ceil(T/4)), block (128); a warp per token, expert e in element e / 32 of lane e % 32
// Numerics  s to 3 ulp of float32, weights to (k + 4) * 2^-23 relative
// Source    DeepSeek-V3 technical report, section 2.1.2, equations 13-16
#include <cstdint>

constexpr int ELEMENTS = 16;
constexpr unsigned ALL = ~0u;

// Order-preserving: a < b as floats is ordered(a) < ordered(b) as integers, and 0 is below every number.
__device__ uint32_t ordered(float value) {
    const uint32_t bits = __float_as_uint(value == 0 ? 0 : value);
    return value != value ? ~0u : bits ^ (bits >> 31 ? ~0u : 1u << 31);
}

// Index of the largest key over the warp, the lowest one among equals; each lane offers its own best.
__device__ int warpArgMax(uint32_t key, int index) {
    const uint32_t largest = __reduce_max_sync(ALL, key);
    return __reduce_min_sync(ALL, key == largest ? index : INT32_MAX);
}

// Chooses k of the experts whose keys are not 0, then writes ids and weights; scale of the weights as the caller says.
template <class Scale>
__device__ void choose(uint32_t (&keys)[ELEMENTS], const float (&scores)[ELEMENTS], int k, int* ids, float* weights,
                       Scale scaleOf) {
    const int lane = threadIdx.x % 32;
    float sum = 0, mine = 0; // lane j keeps the weight of choice j
    int chosen = 0;
    for (int j = 0; j < k; j++) {
        uint32_t best = 0;
        int at = 0;
#pragma unroll
        for (int i = 0; i < ELEMENTS; i++) {
            if (keys[i] > best) {
                best = keys[i];
                at = i;
            }
        }
        const int expert = warpArgMax(best, at * 32 + lane);
        float score = 0;
#pragma unroll
        for (int i = 0; i < ELEMENTS; i++) {
            if (i * 32 + lane == expert) {
                score = scores[i];
                keys[i] = 0;
            }
        }
        score = __shfl_sync(ALL, score, expert % 32);
        sum += score;
        if (lane == j) {
            chosen = expert;
            mine = score;
        }
    }
    if (lane < k) {
        ids[lane] = chosen;
        weights[lane] = mine * scaleOf(sum);
    }
}

// Keys of experts outside the best groups become 0. A group's sum is taken in the order largest + second largest.
__device__ void keepBestGroups(uint32_t (&keys)[ELEMENTS], const float (&biased)[ELEMENTS], int E, int groups,
                               int topGroups) {
    const int lane = threadIdx.x % 32, size = E / groups;
    uint32_t groupKey = 0; // of group `lane`
    for (int g = 0; g < groups; g++) {
        float two[2] = {0, 0};
        int taken = -1;
        for (int pick = 0; pick < 2 && pick < size; pick++) {
            uint32_t best = 0;
            int at = 0;
            float value = 0;
#pragma unroll
            for (int i = 0; i < ELEMENTS; i++) {
                const int e = i * 32 + lane;
                if (e / size == g && e != taken && keys[i] > best) {
                    best = keys[i];
                    at = e;
                    value = biased[i];
                }
            }
            taken = warpArgMax(best, best == 0 ? INT32_MAX : at);
            two[pick] = __shfl_sync(ALL, value, taken % 32);
        }
        groupKey = lane == g ? ordered(two[0] + two[1]) : groupKey;
    }
    uint32_t kept = 0;
    for (int j = 0; j < topGroups; j++) {
        const int g = warpArgMax(groupKey, lane);
        kept |= 1u << g;
        groupKey = lane == g ? 0 : groupKey;
    }
#pragma unroll
    for (int i = 0; i < ELEMENTS; i++) {
        const int e = i * 32 + lane;
        keys[i] = e < E && kept >> e / size & 1 ? keys[i] : 0;
    }
}

extern "C" __global__ __launch_bounds__(128)
void route_sigmoid_groups_f32(int* __restrict__ ids, float* __restrict__ weights, const float* __restrict__ logits,
                              const float* __restrict__ bias, int T, int E, int k, int groups, int topGroups,
                              int normalise, float scale, long long logitsStride) {
    const long long t = blockIdx.x * 4 + threadIdx.x / 32;
    if (t >= T) {
        return;
    }
    uint32_t keys[ELEMENTS];
    float scores[ELEMENTS], biased[ELEMENTS];
#pragma unroll
    for (int i = 0; i < ELEMENTS; i++) {
        const int e = i * 32 + threadIdx.x % 32;
        scores[i] = e < E ? 1 / (1 + expf(-logits[t * logitsStride + e])) : 0;
        biased[i] = scores[i] + (e < E && bias != nullptr ? bias[e] : 0);
        keys[i] = e < E ? ordered(biased[i]) : 0;
    }
    if (topGroups < groups) {
        keepBestGroups(keys, biased, E, groups, topGroups);
    }
    choose(keys, scores, k, ids + t * k, weights + t * k,
           [=](float sum) { return normalise ? scale / (sum + 1e-20f) : scale; });
}

extern "C" __global__ __launch_bounds__(128)
void route_softmax_f32(int* __restrict__ ids, float* __restrict__ weights, const float* __restrict__ logits,
                       const float* __restrict__ bias, int T, int E, int k, int normalise, long long logitsStride) {
    const long long t = blockIdx.x * 4 + threadIdx.x / 32;
    if (t >= T) {
        return;
    }
    uint32_t keys[ELEMENTS];
    float scores[ELEMENTS], largest = -INFINITY, sum = 0;
#pragma unroll
    for (int i = 0; i < ELEMENTS; i++) {
        const int e = i * 32 + threadIdx.x % 32;
        scores[i] = e < E ? logits[t * logitsStride + e] : -INFINITY;
        keys[i] = e < E ? ordered(scores[i]) : 0;
        largest = fmaxf(largest, scores[i]);
    }
    for (int step = 16; step > 0; step /= 2) {
        largest = fmaxf(largest, __shfl_xor_sync(ALL, largest, step));
    }
#pragma unroll
    for (int i = 0; i < ELEMENTS; i++) {
        scores[i] = expf(scores[i] - largest);
        sum += scores[i];
    }
    for (int step = 16; step > 0; step /= 2) {
        sum += __shfl_xor_sync(ALL, sum, step);
    }
#pragma unroll
    for (int i = 0; i < ELEMENTS; i++) {
        const int e = i * 32 + threadIdx.x % 32;
        scores[i] /= sum;
        keys[i] = bias != nullptr && e < E ? ordered(scores[i] + bias[e]) : keys[i];
    }
    choose(keys, scores, k, ids + t * k, weights + t * k, [=](float chosen) { return normalise ? 1 / chosen : 1; });
}
