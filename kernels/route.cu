// route: the k experts of each token and their weights.
//
// Math      sigmoid_groups: s = sigmoid(logits[t,:]), b = s + bias; of `groups` neighbouring groups of E/groups experts
//           the topGroups with the largest sums of their two largest b stay; of those experts the k with the largest b
//           are chosen; weights = s of the chosen, divided by (their sum + 1e-20) if normalise, times scale.
//           softmax: s = softmax(logits[t,:]), b = s + bias (without bias the logits themselves decide); the k with
//           the largest b; weights = s of the chosen, divided by their sum if normalise.
//           Equal values are decided for the lower expert and the lower group; with NaNs ids are distinct but arbitrary
// Shapes    logits [T,E] float32, bias [E] float32 or null, ids [T,k] int32 best first, weights [T,k] float32;
//           T >= 1, 1 <= k <= 16, k <= E <= 512; groups <= 32 divides E, topGroups * E/groups >= k
// Layout    ids and weights contiguous; rows of logits may have gaps (stride in elements)
// Roofline  bytes = 4*T*E + 8*T*k: 8.5 MB at T=8193, E=256; the chain of k warp-wide maxima is longer than the transfer
// Launch    grid (ceil(T/4)), block (128), a warp per token; dynamic shared memory 16*(2*E + 64) B (sigmoid_groups),
//           16*(E + 64) B (softmax) or none (4_of_8). The experts that may be chosen, C = topGroups * E/groups or E, are
//           dealt to the lanes. Up to four are sorted by each lane, of more the few that may be among the k best are
//           dealt anew, where all do not tie; then the best heads are taken. A kernel for C <= 128, 256 and 512 each:
//           with the registers of the first, 64 warps are resident, so that an SM has T=8193's tokens at once. 4_of_8 is
//           for 256 experts in 8 groups of which 4 stay, rows of logits and the bias at multiples of 16 bytes: lanes
//           have neighbouring experts
// Numerics  s to 4 ulp of float32, weights to (k + 6) * 2^-23 relative; sums of groups are rounded to float32
// Source    DeepSeek-V3 technical report, section 2.1.2, equations 13-16
#include <cstdint>

constexpr int WARPS = 4; // tokens of a block
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

// A lane's candidates, best first: keys with the experts that have them.
template <int ELEMENTS>
struct Candidates {
    uint32_t keys[ELEMENTS];
    int experts[ELEMENTS];

    // Equal keys keep their order, in which experts ascend.
    __device__ void sort() {
#pragma unroll
        for (int last = ELEMENTS - 1; last > 0; last--) {
#pragma unroll
            for (int i = 0; i < last; i++) {
                const bool swap = keys[i] < keys[i + 1];
                const uint32_t smaller = min(keys[i], keys[i + 1]);
                const int expert = experts[i];
                keys[i] = max(keys[i], keys[i + 1]);
                keys[i + 1] = smaller;
                experts[i] = swap ? experts[i + 1] : expert;
                experts[i + 1] = swap ? expert : experts[i + 1];
            }
        }
    }

    __device__ void dropFirst(bool really) {
#pragma unroll
        for (int i = 0; i < ELEMENTS; i++) {
            keys[i] = !really ? keys[i] : i + 1 < ELEMENTS ? keys[i + 1] : 0;
            experts[i] = !really ? experts[i] : i + 1 < ELEMENTS ? experts[i + 1] : -1;
        }
    }
};

// The k best candidates of the warp, the j-th in lane j.
template <int ELEMENTS>
__device__ int best(Candidates<ELEMENTS>& candidates, int k) {
    candidates.sort();
    int chosen = 0;
    for (int j = 0; j < k; j++) {
        const int expert = warpArgMax(candidates.keys[0], candidates.experts[0]);
        chosen = threadIdx.x % 32 == j ? expert : chosen;
        candidates.dropFirst(candidates.experts[0] == expert);
    }
    return chosen;
}

// Deals the candidates that may be among the k best to the lanes, one each, experts ascending: those not below the k-th of
// the lanes' best ones, which are k candidates themselves. False where there are more than lanes.
template <int ELEMENTS>
__device__ bool dealFinalists(Candidates<1>& finalist, const Candidates<ELEMENTS>& candidates, uint32_t* words, int k) {
    const int lane = threadIdx.x % 32;
    uint32_t own = 0, bound = 0;
#pragma unroll
    for (int i = 0; i < ELEMENTS; i++) {
        own = max(own, candidates.keys[i]);
    }
    for (int j = 0; j < k; j++) {
        bound = __reduce_max_sync(ALL, own);
        own = lane == __ffs(__ballot_sync(ALL, own == bound)) - 1 ? 0 : own;
    }
    int count = 0;
#pragma unroll
    for (int i = 0; i < ELEMENTS; i++) {
        const bool stays = candidates.keys[i] >= bound;
        const unsigned staying = __ballot_sync(ALL, stays);
        const int place = count + __popc(staying & ((1u << lane) - 1));
        if (stays && place < 32) {
            words[place] = candidates.keys[i];
            words[32 + place] = candidates.experts[i];
        }
        count += __popc(staying);
    }
    __syncwarp();
    finalist.keys[0] = lane < count ? words[lane] : 0;
    finalist.experts[0] = lane < count ? static_cast<int>(words[32 + lane]) : -1;
    return count <= 32;
}

// Chooses the k best candidates of the warp, then writes ids and weights of token t; the scale of the weights depends on
// the chosen scores' sum. scores are the token's, indexed by expert; 64 words are for passing candidates around.
template <int ELEMENTS, class Scale>
__device__ void choose(Candidates<ELEMENTS>& candidates, const float* scores, uint32_t* words, int k, int t, int* ids,
                       float* weights, Scale scaleOf) {
    const int lane = threadIdx.x % 32;
    int chosen;
    if constexpr (ELEMENTS > 4) { // sorting many takes longer than leaving most out
        Candidates<1> finalist;
        chosen = dealFinalists(finalist, candidates, words, k) ? best(finalist, k) : best(candidates, k);
    } else {
        chosen = best(candidates, k);
    }
    const float mine = lane < k ? scores[chosen] : 0;
    float sum = mine;
    for (int step = 8; step > 0; step /= 2) { // k <= 16
        sum += __shfl_xor_sync(ALL, sum, step);
    }
    if (lane < k) {
        const long long at = (long long)t * k + lane;
        ids[at] = chosen;
        weights[at] = mine * scaleOf(sum);
    }
}

// Writes the numbers of the best groups, ascending. The largest power of two of lanes that all groups can have shares a
// group; each lane finds the two largest of its part, then the lanes of a group merge theirs.
__device__ void keepBestGroups(uint32_t* kept, const float* biased, int size, int groups, int topGroups) {
    const int lane = threadIdx.x % 32, share = 1 << (31 - __clz(32 / groups)), g = lane / share;
    float first = -INFINITY, second = -INFINITY;
    const int parts = (size + share - 1) / share;
    int part = g % parts; // each group starts elsewhere, for the banks
    for (int n = 0; n < parts; n++) {
        const int i = part * share + lane % share;
        const float value = i < size && g < groups ? biased[g * size + i] : -INFINITY;
        second = fmaxf(second, fminf(first, value));
        first = fmaxf(first, value);
        part = part + 1 < parts ? part + 1 : 0;
    }
    for (int step = 1; step < share; step *= 2) {
        const float otherFirst = __shfl_xor_sync(ALL, first, step), otherSecond = __shfl_xor_sync(ALL, second, step);
        second = fmaxf(fminf(first, otherFirst), fmaxf(second, otherSecond));
        first = fmaxf(first, otherFirst);
    }
    uint32_t key = g < groups ? ordered(size > 1 ? first + second : first) : 0, best = 0;
    for (int j = 0; j < topGroups; j++) {
        const int group = warpArgMax(key, g);
        best |= 1u << group;
        key = g == group ? 0 : key;
    }
    if (best >> lane & 1) {
        kept[__popc(best & ((1u << lane) - 1))] = lane;
    }
    __syncwarp();
}

template <int ELEMENTS>
__device__ void routeSigmoid(float* scores, float* biased, uint32_t* words, int t, int* ids, float* weights,
                             const float* logits, const float* bias, int E, int k, int groups, int topGroups,
                             int normalise, float scale) {
    const int lane = threadIdx.x % 32, size = E / groups;
#pragma unroll 8
    for (int e = lane; e < E; e += 32) {
        scores[e] = __fdividef(1, 1 + expf(-logits[e]));
        biased[e] = scores[e] + (bias != nullptr ? bias[e] : 0);
    }
    __syncwarp();
    if (topGroups < groups) {
        keepBestGroups(words, biased, size, groups, topGroups);
    }
    Candidates<ELEMENTS> candidates;
    const float perGroup = (float)groups / E;
#pragma unroll
    for (int i = 0; i < ELEMENTS; i++) {
        int e = i * 32 + lane; // of the experts in kept groups
        const bool exists = e < topGroups * size;
        if (topGroups < groups && exists) {
            const int group = (int)((e + 0.5f) * perGroup); // e / size, exact for E <= 512
            e += (static_cast<int>(words[group]) - group) * size;
        }
        candidates.experts[i] = exists ? e : -1;
        candidates.keys[i] = exists ? ordered(biased[e]) : 0;
    }
    __syncwarp(); // words of groups are read
    choose(candidates, scores, words, k, t, ids, weights, [=](float sum) { return normalise ? scale / (sum + 1e-20f) : scale; });
}

template <int ELEMENTS>
__device__ void routeSoftmax(float* scores, uint32_t* words, int t, int* ids, float* weights, const float* logits, const float* bias, int E,
                             int k, int normalise) {
    const int lane = threadIdx.x % 32;
    Candidates<ELEMENTS> candidates;
    float values[ELEMENTS], largest = -INFINITY, sum = 0;
#pragma unroll
    for (int i = 0; i < ELEMENTS; i++) {
        const int e = i * 32 + lane;
        values[i] = e < E ? logits[e] : -INFINITY;
        candidates.experts[i] = e < E ? e : -1;
        candidates.keys[i] = e < E ? ordered(values[i]) : 0;
        largest = fmaxf(largest, values[i]);
    }
    for (int step = 16; step > 0; step /= 2) {
        largest = fmaxf(largest, __shfl_xor_sync(ALL, largest, step));
    }
#pragma unroll
    for (int i = 0; i < ELEMENTS; i++) {
        values[i] = expf(values[i] - largest);
        sum += values[i];
    }
    for (int step = 16; step > 0; step /= 2) {
        sum += __shfl_xor_sync(ALL, sum, step);
    }
    const float inverse = 1 / sum;
#pragma unroll
    for (int i = 0; i < ELEMENTS; i++) {
        const int e = i * 32 + lane;
        if (e < E) {
            scores[e] = values[i] * inverse;
            candidates.keys[i] = bias != nullptr ? ordered(scores[e] + bias[e]) : candidates.keys[i];
        }
    }
    __syncwarp();
    choose(candidates, scores, words, k, t, ids, weights, [=](float chosen) { return normalise ? 1 / chosen : 1; });
}

// Reciprocal to one ulp, 0 of more than 2^126.
__device__ float reciprocal(float value) {
    float result;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(value));
    return result;
}

// 256 experts in 8 groups of which 4 stay: a lane has 8 neighbouring experts, four lanes a group; then 4 neighbouring
// candidates. The lowest lane among equals has the lowest expert.
__device__ void routeFourOfEight(float* scores, int* chosen, int t, int* ids, float* weights, const float* logits,
                                 const float* bias, int k, int normalise, float scale) {
    constexpr int E = 256, EACH = 8, LEFT = 4, KEPT = 4, OF_GROUP = 4, GROUP = 32;
    const int lane = threadIdx.x % 32;
    float* biased = scores + E;
    float first = -INFINITY, second = -INFINITY;
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const int at = lane * EACH + half * 4;
        const float4 four = *reinterpret_cast<const float4*>(logits + at);
        const float4 added = bias != nullptr ? *reinterpret_cast<const float4*>(bias + at) : make_float4(0, 0, 0, 0);
        float s[4] = {four.x, four.y, four.z, four.w}, b[4] = {added.x, added.y, added.z, added.w};
#pragma unroll
        for (int i = 0; i < 4; i++) {
            s[i] = reciprocal(1 + expf(-s[i]));
            b[i] += s[i];
            second = fmaxf(second, fminf(first, b[i]));
            first = fmaxf(first, b[i]);
        }
        *reinterpret_cast<float4*>(scores + at) = make_float4(s[0], s[1], s[2], s[3]);
        *reinterpret_cast<float4*>(biased + at) = make_float4(b[0], b[1], b[2], b[3]);
    }
#pragma unroll
    for (int step = 1; step < OF_GROUP; step *= 2) {
        const float otherFirst = __shfl_xor_sync(ALL, first, step), otherSecond = __shfl_xor_sync(ALL, second, step);
        second = fmaxf(fminf(first, otherFirst), fmaxf(second, otherSecond));
        first = fmaxf(first, otherFirst);
    }
    uint32_t key = ordered(first + second);
    unsigned kept = 0; // groups
#pragma unroll
    for (int j = 0; j < KEPT; j++) {
        const uint32_t largest = __reduce_max_sync(ALL, key);
        const int group = (__ffs(__ballot_sync(ALL, key == largest)) - 1) / OF_GROUP;
        kept |= 1u << group;
        key = lane / OF_GROUP == group ? 0 : key;
    }
#pragma unroll
    for (int j = 0; j < KEPT - 1; j++) {
        kept = j < lane / (32 / KEPT) ? kept & (kept - 1) : kept; // this lane's is the lowest in the end
    }
    const int expert = (__ffs(kept) - 1) * GROUP + lane % (32 / KEPT) * LEFT;
    __syncwarp();
    const float4 four = *reinterpret_cast<const float4*>(biased + expert);
    Candidates<LEFT> candidates{{ordered(four.x), ordered(four.y), ordered(four.z), ordered(four.w)}, {0, 1, 2, 3}};
    candidates.sort();
    uint32_t places = 0;
#pragma unroll
    for (int i = 0; i < LEFT; i++) {
        places |= candidates.experts[i] << 8 * i;
    }
    for (int j = 0; j < k; j++) {
        const uint32_t largest = __reduce_max_sync(ALL, candidates.keys[0]);
        if (lane == __ffs(__ballot_sync(ALL, candidates.keys[0] == largest)) - 1) {
            chosen[j] = expert + (places & 0xFF);
            places >>= 8;
#pragma unroll
            for (int i = 0; i < LEFT; i++) {
                candidates.keys[i] = i + 1 < LEFT ? candidates.keys[i + 1] : 0;
            }
        }
    }
    __syncwarp();
    const int own = lane < k ? chosen[lane] : 0;
    const float mine = lane < k ? scores[own] : 0;
    float sum = mine;
    for (int step = 8; step > 0; step /= 2) { // k <= 16
        sum += __shfl_xor_sync(ALL, sum, step);
    }
    if (lane < k) {
        const long long at = (long long)t * k + lane;
        ids[at] = own;
        weights[at] = mine * (normalise ? scale / (sum + 1e-20f) : scale);
    }
}

template <int ELEMENTS>
__device__ void routeSigmoidTokens(int* ids, float* weights, const float* logits, const float* bias, int T, int E, int k,
                                   int groups, int topGroups, int normalise, float scale, long long logitsStride) {
    extern __shared__ float memory[];
    const int warp = threadIdx.x / 32;
    const int t = blockIdx.x * WARPS + warp;
    float* scores = memory + warp * (2 * E + 64);
    if (t < T) {
        routeSigmoid<ELEMENTS>(scores, scores + E, reinterpret_cast<uint32_t*>(scores + 2 * E), t, ids, weights,
                               logits + t * logitsStride, bias, E, k, groups, topGroups, normalise, scale);
    }
}

template <int ELEMENTS>
__device__ void routeSoftmaxTokens(int* ids, float* weights, const float* logits, const float* bias, int T, int E, int k,
                                   int normalise, long long logitsStride) {
    extern __shared__ float memory[];
    const int warp = threadIdx.x / 32;
    const int t = blockIdx.x * WARPS + warp;
    if (t < T) {
        float* scores = memory + warp * (E + 64);
        routeSoftmax<ELEMENTS>(scores, reinterpret_cast<uint32_t*>(scores + E), t, ids, weights,
                               logits + t * logitsStride, bias, E, k, normalise);
    }
}

#define ROUTE(CANDIDATES, BLOCKS)                                                                                      \
    extern "C" __global__ __launch_bounds__(32 * WARPS, BLOCKS) void route_sigmoid_groups_##CANDIDATES##_f32(          \
        int* __restrict__ ids, float* __restrict__ weights, const float* __restrict__ logits,                          \
        const float* __restrict__ bias, int T, int E, int k, int groups, int topGroups, int normalise, float scale,    \
        long long logitsStride) {                                                                                      \
        routeSigmoidTokens<CANDIDATES / 32>(ids, weights, logits, bias, T, E, k, groups, topGroups, normalise, scale,  \
                                            logitsStride);                                                             \
    }                                                                                                                  \
    extern "C" __global__ __launch_bounds__(32 * WARPS, BLOCKS) void route_softmax_##CANDIDATES##_f32(                 \
        int* __restrict__ ids, float* __restrict__ weights, const float* __restrict__ logits,                          \
        const float* __restrict__ bias, int T, int E, int k, int normalise, long long logitsStride) {                  \
        routeSoftmaxTokens<CANDIDATES / 32>(ids, weights, logits, bias, T, E, k, normalise, logitsStride);             \
    }

ROUTE(128, 16)
ROUTE(256, 12)
ROUTE(512, 8)

extern "C" __global__ __launch_bounds__(32 * WARPS, 16) void route_sigmoid_4_of_8_groups_256_f32(
    int* __restrict__ ids, float* __restrict__ weights, const float* __restrict__ logits, const float* __restrict__ bias,
    int T, int E, int k, int groups, int topGroups, int normalise, float scale, long long logitsStride) {
    __shared__ alignas(16) float scores[WARPS][512];
    __shared__ int chosen[WARPS][16];
    const int warp = threadIdx.x / 32;
    const int t = blockIdx.x * WARPS + warp;
    if (t < T) {
        routeFourOfEight(scores[warp], chosen[warp], t, ids, weights, logits + t * logitsStride, bias, k, normalise, scale);
    }
}
