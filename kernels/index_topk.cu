// index_topk: the positions of the greatest scores of each row, in no particular order.
//
// Math      indices[t,:] = min(k, n) positions s < n = positions[t] + 1 such that no other has a greater score, then -1;
//           of equal scores at the border any
// Shapes    logits [N,S] float32, positions [N] int32, indices [N,k] int32; any N, S, k >= 1; no NaN among the scores
// Layout    rows of logits lie `row` elements apart; 16-byte accesses where pointer and step allow; indices contiguous
// Roofline  bytes = 4*sum(n) + 4*N*k: bandwidth-bound with many rows; a second look at a row comes from L2
// Launch    grid (N); block (512), four to an SM, or (1024), two to an SM, for long rows; no dynamic shared memory
// Numerics  exact
// Method    radix select: a histogram of the highest 11 bits of order-preserving keys finds the bin of the border; what
//           lies above goes out, what lies in it becomes a candidate in shared memory, whose lower bits are looked at in
//           two more rounds. Where candidates have no room, the row is read again for a round first.
// Source    Knuth, TAOCP vol. 3, 5.2.5 (radix exchange); Alabi et al. 2012 (radix select on GPUs)
#include <cstdint>

constexpr int BINS = 2048;
constexpr int CANDIDATES = 3072;
constexpr int ROUNDS = 3;

// Bits of a key that a round looks at: 31..21, 20..10, 9..0.
static __device__ __forceinline__ int shiftOf(int round) { return round == 0 ? 21 : round == 1 ? 10 : 0; }

// Keys order like the floats they come from.
static __device__ __forceinline__ uint32_t keyOf(float score) {
    const uint32_t bits = __float_as_uint(score);
    return bits ^ (static_cast<int32_t>(bits) < 0 ? 0xFFFFFFFFu : 0x80000000u);
}

struct Shared {
    int histogram[BINS];
    uint2 candidates[CANDIDATES]; // key, position
    int warpSums[32];
    int border;  // bin that holds the last of the greatest
    int above;   // keys in higher bins
    int within;  // keys in it
    int out, kept;
};

// Finds the bin in which the `need` greatest of the histogram's keys end. Ends with a block barrier.
template <int THREADS>
static __device__ __forceinline__ void findBorder(Shared& shared, int need) {
    constexpr int EACH = BINS / THREADS; // bins of a thread, the highest first
    const int first = BINS - 1 - threadIdx.x * EACH;
    int count[EACH], sum = 0;
#pragma unroll
    for (int i = 0; i < EACH; i++) {
        count[i] = shared.histogram[first - i];
        sum += count[i];
    }
    int before = sum;
#pragma unroll
    for (int distance = 1; distance < 32; distance *= 2) {
        const int other = __shfl_up_sync(0xFFFFFFFFu, before, distance);
        before += threadIdx.x % 32 >= distance ? other : 0;
    }
    if (threadIdx.x % 32 == 31) {
        shared.warpSums[threadIdx.x / 32] = before;
    }
    before -= sum;
    __syncthreads();
    int sums = threadIdx.x % 32 < threadIdx.x / 32 ? shared.warpSums[threadIdx.x % 32] : 0;
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2) {
        sums += __shfl_xor_sync(0xFFFFFFFFu, sums, distance);
    }
    before += sums;
#pragma unroll
    for (int i = 0; i < EACH; i++) {
        if (before < need && need <= before + count[i]) {
            shared.border = first - i;
            shared.above = before;
            shared.within = count[i];
        }
        before += count[i];
    }
    __syncthreads();
}

// Calls visit(key, position) for every score; whole warps call together, positions behind the end with valid = false.
template <int THREADS, class Visit>
static __device__ __forceinline__ void forEach(const float* row, int n, bool wide, Visit visit) {
    if (wide) {
        const int vectors = (n + 3) / 4;
        for (int i = threadIdx.x; i < (vectors + 31) / 32 * 32; i += THREADS) {
            float4 v = make_float4(0, 0, 0, 0);
            if (i < n / 4) {
                v = reinterpret_cast<const float4*>(row)[i];
            } else if (i < vectors) {
                v.x = row[4 * i];
                v.y = 4 * i + 1 < n ? row[4 * i + 1] : 0;
                v.z = 4 * i + 2 < n ? row[4 * i + 2] : 0;
            }
            const float score[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
            for (int j = 0; j < 4; j++) {
                visit(keyOf(score[j]), 4 * i + j, 4 * i + j < n);
            }
        }
    } else {
        for (int i = threadIdx.x; i < (n + 31) / 32 * 32; i += THREADS) {
            visit(keyOf(i < n ? row[i] : 0), i, i < n);
        }
    }
}

// A place for each lane that wants one, from a counter in shared memory: one addition for a warp.
static __device__ __forceinline__ int placeOf(int* counter, bool wants) {
    const uint32_t lanes = __ballot_sync(0xFFFFFFFFu, wants);
    int base = 0;
    if (lanes != 0) {
        const int leader = __ffs(lanes) - 1;
        if (threadIdx.x % 32 == leader) {
            base = atomicAdd(counter, __popc(lanes));
        }
        base = __shfl_sync(0xFFFFFFFFu, base, leader);
    }
    return base + __popc(lanes & ((1u << threadIdx.x % 32) - 1));
}

template <int THREADS>
static __device__ __forceinline__ void clearHistogram(Shared& shared) {
    for (int i = threadIdx.x; i < BINS; i += THREADS) {
        shared.histogram[i] = 0;
    }
    __syncthreads();
}

template <int THREADS>
static __device__ __forceinline__ void select(int* indices, const float* logits, const int* positions, int k,
                                              int64_t step) {
    __shared__ Shared shared;
    const int n = positions[blockIdx.x] + 1;
    const float* row = logits + blockIdx.x * step;
    int* out = indices + static_cast<int64_t>(blockIdx.x) * k;
    if (n <= k) {
        for (int i = threadIdx.x; i < k; i += THREADS) {
            out[i] = i < n ? i : -1;
        }
        return;
    }
    const bool wide = ((reinterpret_cast<uintptr_t>(logits) & 15) | (step & 3)) == 0;
    if (threadIdx.x == 0) {
        shared.out = 0;
        shared.kept = 0;
    }
    // The keys sought are those above `prefix` in the bits above `known`, and `need` of those that have it there.
    uint32_t prefix = 0;
    int known = 32, need = k, round = 0;
    const auto above = [&](uint32_t key) { return known < 32 && key >> known > prefix; };
    const auto within = [&](uint32_t key) { return known == 32 || key >> known == prefix; };
    const auto narrow = [&]() {
        findBorder<THREADS>(shared, need);
        const int width = round == 2 ? 10 : 11;
        prefix = known == 32 ? shared.border : prefix << width | shared.border;
        known = shiftOf(round);
        need -= shared.above;
        round++;
    };
    do {
        clearHistogram<THREADS>(shared);
        const int shift = shiftOf(round);
        const uint32_t mask = round == 2 ? 1023 : BINS - 1;
        forEach<THREADS>(row, n, wide, [&](uint32_t key, int, bool valid) {
            if (valid && within(key)) {
                atomicAdd(&shared.histogram[key >> shift & mask], 1);
            }
        });
        __syncthreads();
        narrow();
    } while (round < ROUNDS && shared.within > CANDIDATES && shared.within != need);
    const bool all = shared.within == need;
    const bool resolved = all || known == 0; // of those within, any will do
    const int free = k - need;               // places of what lies above
    forEach<THREADS>(row, n, wide, [&](uint32_t key, int position, bool valid) {
        const bool greater = valid && above(key);
        const int place = placeOf(&shared.out, greater);
        if (greater) {
            out[place] = position;
        }
        const bool candidate = valid && within(key);
        const int kept = placeOf(&shared.kept, candidate);
        if (candidate) {
            if (!resolved) {
                shared.candidates[kept] = make_uint2(key, position);
            } else if (kept < need) {
                out[free + kept] = position;
            }
        }
    });
    __syncthreads();
    if (resolved) {
        return;
    }
    const int candidates = shared.kept;
    const uint32_t outer = prefix; // what was above it is out already
    const int outerKnown = known;
    while (round < ROUNDS) {
        clearHistogram<THREADS>(shared);
        const int shift = shiftOf(round);
        const uint32_t mask = round == 2 ? 1023 : BINS - 1;
        for (int i = threadIdx.x; i < candidates; i += THREADS) {
            const uint32_t key = shared.candidates[i].x;
            if (within(key)) {
                atomicAdd(&shared.histogram[key >> shift & mask], 1);
            }
        }
        __syncthreads();
        narrow();
        if (shared.within == need) {
            break;
        }
    }
    if (threadIdx.x == 0) {
        shared.kept = 0;
    }
    __syncthreads();
    const int last = k - need; // places from here on are those of equal ones
    for (int i = threadIdx.x; i < (candidates + 31) / 32 * 32; i += THREADS) {
        const bool valid = i < candidates;
        const uint2 c = valid ? shared.candidates[i] : make_uint2(0, 0);
        const bool greater = valid && above(c.x) && c.x >> outerKnown == outer;
        const int place = placeOf(&shared.out, greater);
        if (greater) {
            out[place] = c.y;
        }
        const bool equal = valid && within(c.x);
        const int kept = placeOf(&shared.kept, equal);
        if (equal && kept < need) {
            out[last + kept] = c.y;
        }
    }
}

extern "C" __global__ __launch_bounds__(512, 4)
void index_topk_b512_f32(int* indices, const float* logits, const int* positions, int k, int64_t row) {
    select<512>(indices, logits, positions, k, row);
}

extern "C" __global__ __launch_bounds__(1024, 2)
void index_topk_b1024_f32(int* indices, const float* logits, const int* positions, int k, int64_t row) {
    select<1024>(indices, logits, positions, k, row);
}
