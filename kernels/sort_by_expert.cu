// sort_by_expert: token-expert pairs in the order of their experts, token order kept within one.
//
// Math      pair p = t*k + j belongs to expert e = ids[p] - first; those with e outside [0, E) get slots[p] = -1.
//           offsets[e] = number of pairs of experts below e; pairs sorted stably by e; slots[pairs[r]] = r;
//           pairs[r] = -1 for r >= offsets[E]
// Shapes    ids, slots [P] int32 (P = T*k), pairs [P] int32, offsets [E+1] int32; 1 <= P < 2^31, 1 <= E <= 512
// Layout    contiguous; counts, a workspace of ceil(P/chunk)*E int32, need not be initialised
// Roofline  bytes = 12*P + 4*E, no arithmetic; bound by the latency of two passes
// Launch    chunk = a multiple of 512. Where P <= 4096: sort_by_expert_place alone, chunk = P rounded up, counts
//           unused. Else chunk = 512 * ceil(P / 65536), sort_by_expert_count, then sort_by_expert_place, both with grid
//           (ceil(P/chunk)), block (512); static shared 32 KB and 36.1 KB
// Numerics  exact, the same every time
// Source    a counting sort by chunks: Satish, Harris, Garland 2009, section 4
#include <cstdint>

constexpr int THREADS = 512; // also the most experts
constexpr int WARPS = THREADS / 32;
constexpr unsigned ALL = ~0u;

// Pairs [begin, end) of this warp: a chunk is cut evenly.
struct Range {
    int begin, end;

    __device__ Range(int P, int chunk) {
        const int share = chunk / WARPS;
        const long long from = (long long)blockIdx.x * chunk + threadIdx.x / 32 * share;
        begin = static_cast<int>(from < P ? from : P);
        end = static_cast<int>(from + share < P ? from + share : P);
    }
};

// counts[w][e] = pairs of local expert e in warp w's range.
__device__ void countPairs(int (*counts)[THREADS], const int* ids, const Range& range, int E, int first) {
    for (int w = 0; w < WARPS; w++) {
        counts[w][threadIdx.x] = 0;
    }
    __syncthreads();
    for (int p = range.begin + threadIdx.x % 32; p < range.end; p += 32) {
        const int e = ids[p] - first;
        if (0 <= e && e < E) {
            atomicAdd(&counts[threadIdx.x / 32][e], 1);
        }
    }
    __syncthreads();
}

extern "C" __global__ __launch_bounds__(512)
void sort_by_expert_count(int* __restrict__ counts, const int* __restrict__ ids, int P, int E, int first, int chunk) {
    __shared__ int own[WARPS][THREADS];
    countPairs(own, ids, Range(P, chunk), E, first);
    if (threadIdx.x < E) {
        int sum = 0;
        for (int w = 0; w < WARPS; w++) {
            sum += own[w][threadIdx.x];
        }
        counts[(long long)blockIdx.x * E + threadIdx.x] = sum;
    }
}

// Sum of `value` over the threads before this one; `all` is the sum over the block.
__device__ int sumBefore(int value, int& all) {
    __shared__ int warpSums[WARPS];
    const int lane = threadIdx.x % 32;
    int sum = value;
    for (int step = 1; step < 32; step *= 2) {
        const int other = __shfl_up_sync(ALL, sum, step);
        sum += lane >= step ? other : 0;
    }
    if (lane == 31) {
        warpSums[threadIdx.x / 32] = sum;
    }
    __syncthreads();
    int before = sum - value;
    all = 0;
    for (int w = 0; w < WARPS; w++) {
        before += w < threadIdx.x / 32 ? warpSums[w] : 0;
        all += warpSums[w];
    }
    return before;
}

extern "C" __global__ __launch_bounds__(512)
void sort_by_expert_place(int* __restrict__ offsets, int* __restrict__ pairs, int* __restrict__ slots,
                          const int* __restrict__ ids, const int* __restrict__ counts, int P, int E, int first,
                          int chunk) {
    __shared__ int next[WARPS][THREADS]; // slot of the next pair of expert e in warp w's range
    const Range range(P, chunk);
    countPairs(next, ids, range, E, first);
    const int e = threadIdx.x;
    int earlier = 0, total = 0; // pairs of expert e in earlier blocks, in all blocks
    if (gridDim.x == 1) {
        for (int w = 0; w < WARPS; w++) {
            total += next[w][e];
        }
    } else if (e < E) {
#pragma unroll 8
        for (int b = 0; b < gridDim.x; b++) {
            const int count = counts[(long long)b * E + e];
            earlier += b < blockIdx.x ? count : 0;
            total += count;
        }
    }
    int used;
    const int offset = sumBefore(total, used);
    int slot = offset + earlier;
    for (int w = 0; w < WARPS; w++) {
        const int count = next[w][e];
        next[w][e] = slot;
        slot += count;
    }
    if (blockIdx.x == 0 && e < E) {
        offsets[e] = offset;
        offsets[E] = used; // every thread has the same
    }
    __syncthreads();
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    for (int from = range.begin; from < range.end; from += 32) {
        const int p = from + lane;
        const int expert = p < range.end ? ids[p] - first : -1;
        const bool local = 0 <= expert && expert < E;
        const unsigned peers = __match_any_sync(ALL, local ? expert : -1);
        const int rank = __popc(peers & ((1u << lane) - 1));
        const int row = local ? next[warp][expert] + rank : -1;
        __syncwarp();
        if (local && rank == 0) {
            next[warp][expert] += __popc(peers);
        }
        __syncwarp();
        if (p < range.end) {
            slots[p] = row;
            if (local) {
                pairs[row] = p;
            }
            if (p >= used) {
                pairs[p] = -1;
            }
        }
    }
}
