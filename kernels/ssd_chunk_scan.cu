// ssd_chunk_scan: Mamba-2's recurrence over many tokens, on the tensor cores: the second pass over prefill, or the only one
// where a sequence is one segment.
//
// Math      as ssd_state_update, in chunks of 128 tokens: with g[t] the decays' logarithms summed from the chunk's start,
//           y[t] = exp(g[t]) * S c[t] + sum_{s<=t} (c[t].b[s]) * exp(g[t]-g[s])*delta[s] * x[s] + skip*x[t], then
//           S <- exp(g[last])*S + sum_t exp(g[last]-g[t])*delta[t] * x[t] (x) b[t]
// Shapes    x, y [T,Q,64], b, c [T,G,128], dt [T,Q], aLog, dtBias, skip [Q] float32, state [slots,Q,64,128] in S; starts
//           [B+1], past, slots [B] int32; states and decays as ssd_chunk_states leaves them, null for one segment
// Layout    tokens of x, b, c, dt lie ldx, ldb, ldc, ldd elements apart; x, b, c 16-byte aligned, their steps multiples of 8;
//           y contiguous and 16-byte aligned
// Roofline  bytes = x, b, c, y once, flops = 2*T*(128*(G*128 + Q*64) + 2*Q*64*128): bandwidth-bound; c.b of a group is computed
//           for each pair of its heads, that of a chunk's first half for each head; b and c are copied from L2 for each pair
// Launch    grid (segments, G * ceil(Q/G / 2), B), block (512), 232,448 bytes of dynamic shared memory; a segment has `chunks`
//           chunks, the last has all that are left; a block has two heads of a group, each with two warpgroups: one has half of
//           a chunk's tokens and half of the state's columns; those of the later tokens make half of their scores each and pass
//           them on where the states were
// Numerics  scores, decayed inputs and the state that meets c are rounded to bf16, sums and the state itself are float32
// Source    Dao and Gu 2024 (Mamba-2), §6
#include "common/barrier.cuh"
#include "common/ssd_chunks.cuh"

constexpr int THREADS = 512;
constexpr int PARTS = 2;            // warpgroups of a head
constexpr int BLOCK = 32;           // tokens with which a warpgroup holds its scores at once
constexpr int HALF = SSD_CHUNK / 2; // tokens of a warpgroup
constexpr int HALF_BYTES = HALF * BOX_ROW_BYTES;

// A chunk in shared memory, in boxes of 64 columns.
struct Stage {
    uint8_t b[2 * SSD_BOX], c[2 * SSD_BOX], x[SSD_HEADS * SSD_BOX];
};
struct Shared {
    Stage stages[2];
    // Of both heads, one after the other, as they meet c: a row for each of D, columns N. Then scores of the later tokens.
    uint8_t states[2 * SSD_BOX];
    SsdGates gates[SSD_HEADS];
};
static_assert(sizeof(Shared) == 232448, "what a block may have");

#define D4(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define D16(i) D4(i), D4(i + 4), D4(i + 8), D4(i + 12)

// d[64,32] = a[64,16] * b[32,16]^T, plus d where `add`; reduced axis along the rows of both.
static __device__ __forceinline__ void multiplyN32(float (&d)[16], uint64_t a, uint64_t b, bool add) {
    asm volatile(
        "{\n.reg .pred add;\nsetp.ne.b32 add, %18, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n32k16.f32.bf16.bf16 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15}, "
        "%16, %17, add, 1, 1, 0, 0;\n}"
        : D16(0)
        : "l"(a), "l"(b), "r"(static_cast<int>(add)));
}

#undef D16
#undef D4

// A value as if it were not known before: what it is made from and what is made from it stays out of registers until then.
static __device__ __forceinline__ uint32_t fresh(uint32_t address) {
    asm volatile("" : "+r"(address));
    return address;
}

// The thread's place in its warp, likewise.
static __device__ __forceinline__ int freshLane() {
    int thread;
    asm volatile("mov.u32 %0, %%tid.x;" : "=r"(thread));
    return thread % 32;
}

// c.b of the warpgroup's tokens with a block of others.
static __device__ __forceinline__ void multiplyScores(float (&scores)[16], const Boxes& c, uint32_t b) {
    const Boxes rows = Boxes::rows(b);
#pragma unroll
    for (int k = 0; k < SSD_N / 16; k++) {
        const int at = k / 4 * SSD_BOX + k % 4 * 32;
        multiplyN32(scores, c.at(at), rows.at(at), k > 0);
    }
}

// Scores of a warpgroup's tokens with a block of others, as they go to the other head's warpgroup: a thread leaves its own for
// the one in its place there.
struct Parked {
    uint32_t at;

    __device__ __forceinline__ Parked(uint32_t shared, int warp)
        : at(fresh(shared) + warp * (HALF_BYTES / 4) + freshLane() * 16) {}
    __device__ __forceinline__ void put(const float (&scores)[BLOCK / 2]) const {
#pragma unroll
        for (int j = 0; j < BLOCK / 8; j++) {
            asm volatile("st.shared.v4.f32 [%0], {%1, %2, %3, %4};" ::"r"(at + j * 512), "f"(scores[4 * j]),
                         "f"(scores[4 * j + 1]), "f"(scores[4 * j + 2]), "f"(scores[4 * j + 3])
                         : "memory");
        }
    }
    __device__ __forceinline__ void get(float (&scores)[BLOCK / 2]) const {
#pragma unroll
        for (int j = 0; j < BLOCK / 8; j++) {
            asm volatile("ld.shared.v4.f32 {%0, %1, %2, %3}, [%4];"
                         : "=f"(scores[4 * j]), "=f"(scores[4 * j + 1]), "=f"(scores[4 * j + 2]), "=f"(scores[4 * j + 3])
                         : "r"(at + j * 512)
                         : "memory");
        }
    }
};
static_assert(sizeof(float) * HALF * BLOCK == HALF_BYTES, "a block's scores take as much as a box of half the tokens");

// Scores with a block of tokens, decayed for one head, as a left operand. `first` is the first of the warp's 16 tokens, `from`
// of the block.
static __device__ __forceinline__ void decayScores(uint32_t (&p)[BLOCK / 16][4], const float (&scores)[16], int first, int from,
                                                   const SsdGates& gates, float skip) {
    const int lane = freshLane();
    const float decay[2] = {gates.decay[first + lane / 4], gates.decay[first + lane / 4 + 8]};
    // Of tokens before the warp's, the decay is that up to the warp's first times that from there on: neither exceeds 1, and a
    // thread needs powers for its columns and rows, not for each pair of them.
    const float start = gates.decay[first];
    const float since[2] = {fastExp2(decay[0] - start), fastExp2(decay[1] - start)};
#pragma unroll
    for (int k = 0; k < BLOCK / 16; k++) {
        const int columns = from + 16 * k;
        if (columns > first) {
            p[k][0] = p[k][1] = p[k][2] = p[k][3] = 0;
            continue;
        }
        float v[2][4];
#pragma unroll
        for (int j = 0; j < 2; j++) {
            const int s = columns + 8 * j + lane % 4 * 2;
            const float* sums = scores + 8 * k + 4 * j;
            const float2 before = *reinterpret_cast<const float2*>(&gates.decay[s]);
            const float2 delta = *reinterpret_cast<const float2*>(&gates.delta[s]);
            if (columns < first) {
                const float low = fastExp2(start - before.x) * delta.x;
                const float high = fastExp2(start - before.y) * delta.y;
#pragma unroll
                for (int h = 0; h < 2; h++) {
                    v[j][2 * h] = sums[2 * h] * (low * since[h]);
                    v[j][2 * h + 1] = sums[2 * h + 1] * (high * since[h]);
                }
            } else {
#pragma unroll
                for (int h = 0; h < 2; h++) {
                    const int t = first + lane / 4 + 8 * h;
                    v[j][2 * h] = s <= t ? sums[2 * h] * fastExp2(decay[h] - before.x) * delta.x : 0;
                    v[j][2 * h + 1] = s + 1 <= t ? sums[2 * h + 1] * fastExp2(decay[h] - before.y) * delta.y : 0;
                    // skip * x[t] joins in before the rounding: what a token takes from itself may cancel it.
                    v[j][2 * h] += s == t ? skip : 0;
                    v[j][2 * h + 1] += s + 1 == t ? skip : 0;
                }
            }
        }
        packLeft(p[k], v[0], v[1]);
    }
}

// y of the warpgroup's tokens takes in a block of them; the caller awaits the products. x: of the head.
static __device__ __forceinline__ void takeIn(float (&y)[32], const uint32_t (&p)[BLOCK / 16][4], uint32_t x) {
    const Boxes columns = Boxes::columns(x, SSD_BOX);
#pragma unroll
    for (int k = 0; k < BLOCK / 16; k++) {
        multiplyBox(y, p[k], columns.at(k * 16 * BOX_ROW_BYTES));
    }
}

// Through rows of a box of c, of which no warpgroup has more need, so that whole rows go to memory.
static __device__ __forceinline__ void storeRows(bf16* y, int64_t step, int rows, const float (&sums)[32], int row,
                                                 uint32_t c) {
    const int lane = freshLane();
    const WarpTile<128> box{c};
    const uint32_t own = fresh(box.pair(row + lane / 4, 0));
#pragma unroll
    for (int j = 0; j < 8; j++) {
        const uint32_t at = own ^ j * 16;
        storeShared(at, packBf16(sums[4 * j], sums[4 * j + 1]));
        storeShared(at + 8 * BOX_ROW_BYTES, packBf16(sums[4 * j + 2], sums[4 * j + 3]));
    }
    __syncwarp();
    const int r = row + lane / 8;
    const uint32_t from = fresh(box.at(r, lane % 8));
    y += r * step + lane % 8 * 8;
#pragma unroll
    for (int j = 0; j < 4; j++) { // four rows further on, the swizzle is turned by 4
        if (r + 4 * j < rows) {
            *reinterpret_cast<uint4*>(y) = loadShared16((from ^ j % 2 * 64) + j * 4 * BOX_ROW_BYTES);
        }
        y += 4 * step;
    }
}

template <class S>
static __device__ void scan(bf16* y, S* state, const float* states, const float* decays, const bf16* x, const bf16* b,
                            const bf16* c, const bf16* dt, const float* aLog, const float* dtBias, const float* skip,
                            const int* starts, const int* past, const int* slots, int heads, int groups, int chunks,
                            int64_t ldx, int64_t ldb, int64_t ldc, int64_t ldd) {
    extern __shared__ __align__(1024) uint8_t bytes[];
    Shared& shared = *reinterpret_cast<Shared*>(bytes);
    const int place = __shfl_sync(0xFFFFFFFFu, threadIdx.x / (128 * PARTS), 0); // of the head
    const int part = __shfl_sync(0xFFFFFFFFu, threadIdx.x / 128 % PARTS, 0);
    const int warp = __shfl_sync(0xFFFFFFFFu, threadIdx.x / 32 % 4, 0);
    const int segment = blockIdx.x, segments = gridDim.x, sequence = blockIdx.z;
    const SsdPair pair(blockIdx.y, heads, groups);
    const int head = pair.head(place);
    const int tiles = part * BOX_COLUMNS / 8; // of the state before the part's
    const int begin = starts[sequence] + segment * chunks * SSD_CHUNK;
    const int left = starts[sequence + 1] - begin; // to the sequence's end
    if (left <= 0) {
        return;
    }
    const int length = segment + 1 == segments ? left : min(left, chunks * SSD_CHUNK);
    auto cached = [&] { return state + (static_cast<int64_t>(slots[sequence]) * heads + head) * SSD_D * SSD_N; };
    auto fetch = [&](int token) {
        Stage& stage = shared.stages[token / SSD_CHUNK % 2];
        const int64_t at = fresh(begin + token);
        const int column = fresh(pair.group * SSD_N);
        copyChunk<2, THREADS>(sharedAddress(stage.c), c + at * ldc + column, ldc, left - token);
        copyChunk<2, THREADS>(sharedAddress(stage.b), b + at * ldb + column, ldb, left - token);
#pragma unroll
        for (int i = 0; i < SSD_HEADS; i++) {
            const bf16* from = x + at * ldx + fresh(pair.head(i)) * SSD_D;
            copyChunk<1, THREADS>(sharedAddress(stage.x) + i * SSD_BOX, from, ldx, left - token);
        }
        closeCopyGroup();
    };
    fetch(0);
    // A warp of the first part, whose tokens have fewer scores, for the head's gates.
    const bool gating = part == 0 && warp == 0;
    // Made anew for each chunk, so that nothing of it is in registers in between.
    auto load = [&](int token) {
        const bf16* from = dt + static_cast<int64_t>(fresh(begin)) * ldd + head;
        SsdSteps made{from, ldd, dtBias[head], -expf(aLog[head]) * 1.44269504f};
        made.fetch(token, left);
        return made;
    };
    SsdSteps steps;
    if (gating) {
        steps = load(0);
        steps.work();
    }
    const float own = skip[head];
    SsdState<BOX_COLUMNS> sum = {};
    if (segments > 1) {
        const int64_t piece = static_cast<int64_t>(sequence) * segments * heads + head;
        sum.decayAndAdd(0, states + piece * SSD_D * SSD_N, tiles);
#pragma unroll 2 // loads of two states are on their way
        for (int i = 0; i < segment; i++) {
            const int64_t at = piece + static_cast<int64_t>(i) * heads;
            sum.decayAndAdd(fastExp2(decays[at]), states + (at + heads) * SSD_D * SSD_N, tiles);
        }
    } else if (past[sequence] > 0) {
        sum.read(cached(), tiles);
    }
    const int first = part * HALF + 16 * warp; // of the warp's tokens
    const int half = part * place * HALF;      // of the tokens with which the warpgroup makes its scores itself
    for (int token = 0; token < length; token += SSD_CHUNK) {
        Stage& stage = shared.stages[token / SSD_CHUNK % 2];
        const SsdGates& gates = shared.gates[place];
        const WarpTile<128> box{sharedAddress(shared.states) + part * SSD_BOX};
        const uint32_t to = fresh(box.pair(place * SSD_D + sum.row(), 0));
#pragma unroll
        for (int j = 0; j < BOX_COLUMNS / 8; j++) {
            const uint32_t at = to ^ j * 16;
            storeShared(at, packBf16(sum.s[4 * j], sum.s[4 * j + 1]));
            storeShared(at + 8 * BOX_ROW_BYTES, packBf16(sum.s[4 * j + 2], sum.s[4 * j + 3]));
        }
        if (gating) {
            steps.put(shared.gates[place]);
        }
        awaitCopyGroups<0>();
        showToTensorCores();
        __syncthreads(); // chunk, states and gates are there
        const Boxes rows = Boxes::rows(sharedAddress(stage.c) + part * HALF_BYTES);
        float sums[32], scores[BLOCK / 2];
        openProducts();
        {
            const Boxes held = Boxes::rows(sharedAddress(shared.states) + place * SSD_D * BOX_ROW_BYTES);
#pragma unroll
            for (int k = 0; k < SSD_N / 16; k++) {
                const int at = k / 4 * SSD_BOX + k % 4 * 32;
                multiplyN64<bf16>(sums, rows.at(at), held.at(at), k > 0);
            }
        }
        multiplyScores(scores, rows, sharedAddress(stage.b) + half * BOX_ROW_BYTES);
        closeProducts();
        if (token + SSD_CHUNK < length) {
            fetch(token + SSD_CHUNK); // while the products run: of the chunk before, nothing is needed any more
        }
        awaitProducts<0>();
        settle(sums), settle(scores);
        __syncthreads(); // all are done with states, where scores of the later tokens go
        auto parked = [&](int of, int block) {
            return Parked(sharedAddress(shared.states) + (of * (HALF / BLOCK) + block) * HALF_BYTES, warp);
        };
        if (part > 0) {
            parked(place, 0).put(scores);
        }
#pragma unroll
        for (int h = 0; h < 2; h++) {
            const float decayed = fastExp2(gates.decay[first + threadIdx.x % 32 / 4 + 8 * h]);
#pragma unroll
            for (int j = 0; j < 8; j++) {
                sums[4 * j + 2 * h] *= decayed;
                sums[4 * j + 2 * h + 1] *= decayed;
            }
        }
        const uint32_t x0 = sharedAddress(stage.x) + place * SSD_BOX;
        {
            uint32_t p[BLOCK / 16][4];
            decayScores(p, scores, first, half, gates, own);
            openProducts();
            takeIn(sums, p, x0 + half * BOX_ROW_BYTES);
            multiplyScores(scores, rows, sharedAddress(stage.b) + (half + BLOCK) * BOX_ROW_BYTES);
            closeProducts();
            awaitProducts<0>();
            settle(scores);
            if (part > 0) {
                parked(place, 1).put(scores);
            }
            syncNamed(1 + part, 128 * SSD_HEADS); // both heads' scores are there, and both are done with the part's rows of c
            int from = half + BLOCK;
#pragma unroll 1
            for (int block = 0;; block++) {
                decayScores(p, scores, first, from, gates, own);
                openProducts();
                takeIn(sums, p, x0 + from * BOX_ROW_BYTES);
                closeProducts();
                if (block == HALF / BLOCK * part) {
                    break;
                }
                parked(1 - place, block).get(scores);
                from = HALF - half + block * BLOCK;
                awaitProducts<0>();
            }
        }
        sum.decay(gates);
        awaitProducts<0>(); // y is there
        settle(sums);
        if (first < left - token && place < pair.count) {
            const int64_t step = static_cast<int64_t>(heads) * SSD_D;
            bf16* to = y + fresh(begin + token) * step + fresh(head) * SSD_D;
            storeRows(to, step, left - token, sums, first, sharedAddress(stage.c) + place * SSD_BOX);
        }
        constexpr int STEPS = SSD_CHUNK / 16;
        uint32_t a[STEPS][4];
        sum.template advance<0, STEPS / 2>(a, {x0}, sharedAddress(stage.b) + part * SSD_BOX, gates);
        sum.template advance<STEPS / 2, STEPS>(a, {x0}, sharedAddress(stage.b) + part * SSD_BOX, gates);
        if (gating) { // the later tokens' warpgroups are still at their scores
            steps = load(token + SSD_CHUNK);
            steps.work();
        }
        awaitProducts<0>();
        settle(sum.s);
        __syncthreads(); // all are done with states, gates and the chunk
    }
    if (length == left && place < pair.count) {
        sum.write(cached(), tiles);
    }
}

#define SSD_CHUNK_SCAN(SUFFIX, S)                                                                                       \
    extern "C" __global__ __launch_bounds__(THREADS, 1) void ssd_chunk_scan_##SUFFIX(                                   \
        bf16* y, S* state, const float* states, const float* decays, const bf16* x, const bf16* b, const bf16* c,       \
        const bf16* dt, const float* aLog, const float* dtBias, const float* skip, const int* starts, const int* past,  \
        const int* slots, int heads, int groups, int chunks, int64_t ldx, int64_t ldb, int64_t ldc, int64_t ldd) {      \
        scan(y, state, states, decays, x, b, c, dt, aLog, dtBias, skip, starts, past, slots, heads, groups, chunks,     \
             ldx, ldb, ldc, ldd);                                                                                       \
    }

SSD_CHUNK_SCAN(f32, float)
SSD_CHUNK_SCAN(f16, __half)
SSD_CHUNK_SCAN(bf16, bf16)
