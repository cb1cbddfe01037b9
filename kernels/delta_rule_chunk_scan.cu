// delta_rule_chunk_scan: the recurrence over chunks of the delta rule: the second of two passes over prefill.
//
// Math      per chunk, with S at its start and what delta_rule_chunk_prepare left:
//           e = u - w S; out = through * (q S) + scores e; S <- kept*S + k^T diag(rest) e
// Shapes    out [T,Q,128], state [slots,Q,128,128] in S, q, k [T,G,128]; starts [B+1], past, slots [B] int32; chunks
//           [B,most,Q]; S starts from zero where the sequence has no past
// Layout    tokens of q and k lie ldq and ldk elements apart, 16-byte aligned, steps multiples of 8; out and state contiguous
// Roofline  bytes = chunks and out once, q and k of a head from L2 for each of its blocks; flops = 2*T*Q*(3*128*128 + 64*128);
//           bound by copies from L2, 61 KB a block and chunk, above the chain of chunks: a block's products of one after those
//           of the one before
// Launch    grid (4, Q, B), block (256), 203,776 bytes of dynamic shared memory; a block has 32 columns of a head's state: each
//           warpgroup half of their rows, the first also the corrections, the second the outputs
// Numerics  S and e are rounded to bf16 where they meet in products, sums and the state itself are float32
// Source    Yang et al. 2024, "Parallelizing Linear Transformers with the Delta Rule", §3; Yang, Kautz and Hatamizadeh 2024
#include "common/attention_products.cuh"
#include "common/delta_chunks.cuh"
#include "common/recurrent.cuh"
#include "common/settle.cuh"
#include "common/warp_tiles.cuh"

constexpr int COLUMNS = 32;
constexpr int STAGES = 3; // the copies of a chunk have the time of the two before it
constexpr int BOX = DELTA_CHUNK * BOX_ROW_BYTES; // 64 columns of a chunk's tokens
constexpr int STRIP_STEP = 16 * COLUMNS * 2;     // of a product along the rows of a strip

// A chunk in shared memory: 16-byte pieces of it are copied as they lie, q and k in two boxes each.
struct Stage {
    uint8_t q[2 * BOX], k[2 * BOX];
    uint4 w[DELTA_WIDE];
    uint4 u[DELTA_ROW_TILES * COLUMNS / 16 * 32];
    uint4 scores[DELTA_SCORES];
    DeltaGates gates;
    uint8_t unused[384]; // the next stage's tiles start at a multiple of 1024
};
static_assert(sizeof(Stage) % 1024 == 0, "stages follow each other");

// Descriptors of a strip, rows of 32 columns in the 64-byte swizzle that go along the reduced axis: a WarpTile<64>. Made as
// those of Boxes are.
struct Strip {
    uint32_t low;

    explicit __device__ __forceinline__ Strip(uint32_t address) : low(1u << 16 | (address & 0x3FFFF) >> 4) {
        asm volatile("" : "+r"(low));
        low = __shfl_sync(0xFFFFFFFFu, low, 0);
    }
    // From row 16*step on.
    __device__ __forceinline__ uint64_t at(int step) const {
        constexpr uint64_t SWIZZLE_64 = 2ull << 62;
        constexpr uint64_t EIGHT_ROWS = 8 * COLUMNS * 2 / 16;
        return SWIZZLE_64 | EIGHT_ROWS << 32 | (low + step * STRIP_STEP / 16);
    }
};

#define D4(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define D16(i) D4(i), D4(i + 4), D4(i + 8), D4(i + 12)

// d[64,32] = a[64,16] * b[16,32], plus d where `add`; a in registers or in rows along the reduced axis, b of a strip.
static __device__ __forceinline__ void multiplyStrip(float (&d)[16], const uint32_t (&a)[4], uint64_t b, bool add) {
    asm volatile(
        "{\n.reg .pred add;\nsetp.ne.b32 add, %21, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n32k16.f32.bf16.bf16 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15}, "
        "{%16, %17, %18, %19}, %20, add, 1, 1, 1;\n}"
        : D16(0)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(static_cast<int>(add)));
}
static __device__ __forceinline__ void multiplyStrip(float (&d)[16], uint64_t a, uint64_t b, bool add) {
    asm volatile(
        "{\n.reg .pred add;\nsetp.ne.b32 add, %18, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n32k16.f32.bf16.bf16 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15}, "
        "%16, %17, add, 1, 1, 0, 1;\n}"
        : D16(0)
        : "l"(a), "l"(b), "r"(static_cast<int>(add)));
}

#undef D16
#undef D4

static __device__ __forceinline__ void fetchRows(Stage& to, const bf16* q, const bf16* k, int64_t ldq, int64_t ldk, int rows) {
#pragma unroll
    for (int i = 0; i < 2; i++) {
        copyRows<128, DELTA_CHUNK, 256>({sharedAddress(to.q) + i * BOX}, q + i * BOX_COLUMNS, ldq, rows);
        copyRows<128, DELTA_CHUNK, 256>({sharedAddress(to.k) + i * BOX}, k + i * BOX_COLUMNS, ldk, rows);
    }
}

static __device__ __forceinline__ void fetchPieces(Stage& to, const DeltaChunk& chunk, int part) {
#pragma unroll
    for (int i = 0; i < DELTA_WIDE; i += 256) {
        copyAsync16(sharedAddress(&to.w[threadIdx.x + i]), &chunk.w[threadIdx.x + i], true);
    }
    { // [row tile][16 columns] of this part, two of eight
        const int tile = threadIdx.x / 64, within = threadIdx.x % 64;
        copyAsync16(sharedAddress(&to.u[threadIdx.x]), &chunk.u[(tile * 8 + part * 2) * 32 + within], true);
    }
#pragma unroll
    for (int i = 0; i < DELTA_SCORES; i += 256) {
        copyAsync16(sharedAddress(&to.scores[threadIdx.x + i]), &chunk.scores[threadIdx.x + i], true);
    }
    if (threadIdx.x < sizeof(DeltaGates) / 16) {
        copyAsync16(sharedAddress(&to.gates) + threadIdx.x * 16, reinterpret_cast<const uint4*>(&chunk.gates) + threadIdx.x,
                    true);
    }
}

static __device__ void unpack(uint32_t (&a)[4], const uint4& v) {
    a[0] = v.x, a[1] = v.y, a[2] = v.z, a[3] = v.w;
}

template <class S>
static __device__ void scan(bf16* out, S* state, const DeltaChunk* chunks, const bf16* q, const bf16* k, const int* starts,
                            const int* past, const int* slots, int keyHeads, int heads, int most, int64_t ldq, int64_t ldk) {
    extern __shared__ __align__(1024) uint8_t shared[];
    Stage* stages = reinterpret_cast<Stage*>(shared);
    const uint32_t behind = sharedAddress(shared) + STAGES * sizeof(Stage);
    const WarpTile<64> states{behind}, corrections{behind + DELTA_K * COLUMNS * 2},
        rests{behind + (DELTA_K + DELTA_CHUNK) * COLUMNS * 2};
    const int part = blockIdx.x, head = blockIdx.y, sequence = blockIdx.z;
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int64_t begin = starts[sequence];
    const int length = starts[sequence + 1] - static_cast<int>(begin);
    const int group = head / (heads / keyHeads);
    q += begin * ldq + group * DELTA_K;
    k += begin * ldk + group * DELTA_K;
    chunks += static_cast<int64_t>(sequence) * most * heads + head;
    out += (begin * heads + head) * DELTA_K + part * COLUMNS;
    S* own = state + (static_cast<int64_t>(slots[sequence]) * heads + head) * DELTA_K * DELTA_K + part * COLUMNS;
    // The warp's rows 16*warp .. of the state, all columns of the part.
    float s[COLUMNS / 2] = {};
    const int stateRow = 16 * warp + lane / 4;
    if (past[sequence] > 0) {
#pragma unroll
        for (int j = 0; j < COLUMNS / 8; j++) {
#pragma unroll
            for (int h = 0; h < 2; h++) {
                loadPair(s[4 * j + 2 * h], s[4 * j + 2 * h + 1], own + (stateRow + 8 * h) * DELTA_K + 8 * j + lane % 4 * 2);
            }
        }
    }
    const int count = (length + DELTA_CHUNK - 1) / DELTA_CHUNK;
    // A chunk is copied in two parts, each asked for while products run.
    auto startChunk = [&](int i) {
        if (i < count) {
            const int64_t token = static_cast<int64_t>(i) * DELTA_CHUNK;
            fetchRows(stages[i % STAGES], q + token * ldq, k + token * ldk, ldq, ldk, length - static_cast<int>(token));
        }
    };
    auto finishChunk = [&](int i) {
        if (i < count) {
            fetchPieces(stages[i % STAGES], chunks[static_cast<int64_t>(i) * heads], part);
        }
        closeCopyGroup(); // an empty one too: groups are counted
    };
    for (int i = 0; i < STAGES - 1; i++) {
        startChunk(i);
        finishChunk(i);
    }
    // As it meets w and q.
    auto showState = [&] {
#pragma unroll
        for (int j = 0; j < COLUMNS / 8; j++) {
#pragma unroll
            for (int h = 0; h < 2; h++) {
                storeShared(states.pair(stateRow + 8 * h, j), packBf16(s[4 * j + 2 * h], s[4 * j + 2 * h + 1]));
            }
        }
    };
    showState();
    // Of a chunk, the warp has rows 16*tile ..
    const int warpgroup = __shfl_sync(0xFFFFFFFFu, threadIdx.x / 128, 0);
    const int tile = warp % 4;
    const int row = 16 * tile + lane / 4;
    for (int i = 0; i < count; i++) {
        awaitCopyGroups<STAGES - 2>();
        showToTensorCores();
        __syncthreads(); // chunk and state are there, and all are done with the chunk before
        const Stage& stage = stages[i % STAGES];
        float sums[COLUMNS / 2]; // what the state takes from the corrections, or the outputs
        uint32_t w[DELTA_K / 16][4], scores[DELTA_CHUNK / 16][4], keys[DELTA_CHUNK / 16][4];
        const Strip held(states.base);
        if (warpgroup == 0) {
#pragma unroll
            for (int d = 0; d < DELTA_K / 16; d++) {
                unpack(w[d], stage.w[(tile * (DELTA_K / 16) + d) * 32 + lane]);
            }
            openProducts();
#pragma unroll
            for (int d = 0; d < DELTA_K / 16; d++) {
                multiplyStrip(sums, w[d], held.at(d), d > 0);
            }
            closeProducts();
        } else {
            const Boxes rows = Boxes::rows(sharedAddress(stage.q));
            openProducts();
#pragma unroll
            for (int d = 0; d < DELTA_K / 16; d++) {
                multiplyStrip(sums, rows.at(d / 4 * BOX + d % 4 * 32), held.at(d), d > 0);
            }
            closeProducts();
        }
        startChunk(i + STAGES - 1); // where the chunk before was
#pragma unroll
        for (int t = 0; t < DELTA_CHUNK / 16; t++) {
            WarpTile<128>{sharedAddress(stage.k) + warpgroup * BOX}.leftTransposed(keys[t], 16 * tile, t);
        }
        const float kept = stage.gates.kept;
#pragma unroll
        for (int j = 0; j < COLUMNS / 2; j++) {
            s[j] *= kept;
        }
        if (warpgroup == 0) {
            float rest[2];
            uint32_t u[2][4];
#pragma unroll
            for (int h = 0; h < 2; h++) {
                rest[h] = stage.gates.rest[row + 8 * h];
                unpack(u[h], stage.u[(tile * 2 + h) * 32 + lane]);
            }
            awaitProducts<0>();
            settle(sums);
#pragma unroll
            for (int j = 0; j < COLUMNS / 8; j++) {
#pragma unroll
                for (int h = 0; h < 2; h++) {
                    const uint32_t pair = u[j / 2][j % 2 * 2 + h];
                    const float low = lowBf16(pair) - sums[4 * j + 2 * h];
                    const float high = highBf16(pair) - sums[4 * j + 2 * h + 1];
                    storeShared(corrections.pair(row + 8 * h, j), packBf16(low, high));
                    storeShared(rests.pair(row + 8 * h, j), packBf16(rest[h] * low, rest[h] * high));
                }
            }
            showToTensorCores();
        } else {
            float through[2];
#pragma unroll
            for (int h = 0; h < 2; h++) {
                through[h] = stage.gates.through[row + 8 * h];
            }
#pragma unroll
            for (int t = 0; t < DELTA_CHUNK / 16; t++) {
                unpack(scores[t], stage.scores[(tile * (DELTA_CHUNK / 16) + t) * 32 + lane]);
            }
            awaitProducts<0>();
            settle(sums);
#pragma unroll
            for (int j = 0; j < COLUMNS / 2; j++) {
                sums[j] *= through[j / 2 % 2];
            }
        }
        __syncthreads(); // corrections are there, and the state is read
        openProducts();
        const Strip rested(rests.base);
#pragma unroll
        for (int t = 0; t < DELTA_CHUNK / 16; t++) {
            multiplyStrip(s, keys[t], rested.at(t), true);
        }
        closeProducts();
        if (warpgroup == 0) {
            finishChunk(i + STAGES - 1);
            awaitProducts<0>();
            settle(s);
            showState();
        } else {
            const Strip corrected(corrections.base);
            openProducts();
#pragma unroll
            for (int t = 0; t < DELTA_CHUNK / 16; t++) {
                multiplyStrip(sums, scores[t], corrected.at(t), true);
            }
            closeProducts();
            finishChunk(i + STAGES - 1);
            awaitProducts<1>();
            settle(s);
            showState();
            awaitProducts<0>();
            settle(sums);
#pragma unroll
            for (int h = 0; h < 2; h++) {
                const int64_t t = static_cast<int64_t>(i) * DELTA_CHUNK + row + 8 * h;
                if (t < length) {
#pragma unroll
                    for (int j = 0; j < COLUMNS / 8; j++) {
                        *reinterpret_cast<uint32_t*>(out + t * heads * DELTA_K + 8 * j + lane % 4 * 2) =
                            packBf16(sums[4 * j + 2 * h], sums[4 * j + 2 * h + 1]);
                    }
                }
            }
        }
    }
#pragma unroll
    for (int j = 0; j < COLUMNS / 8; j++) {
#pragma unroll
        for (int h = 0; h < 2; h++) {
            storePair(own + (stateRow + 8 * h) * DELTA_K + 8 * j + lane % 4 * 2, s[4 * j + 2 * h], s[4 * j + 2 * h + 1]);
        }
    }
}

#define DELTA_RULE_CHUNK_SCAN(SUFFIX, S)                                                                                \
    extern "C" __global__ __launch_bounds__(256, 1) void delta_rule_chunk_scan_##SUFFIX(                                \
        bf16* out, S* state, const DeltaChunk* chunks, const bf16* q, const bf16* k, const int* starts,                 \
        const int* past, const int* slots, int keyHeads, int heads, int most, int64_t ldq, int64_t ldk) {               \
        scan(out, state, chunks, q, k, starts, past, slots, keyHeads, heads, most, ldq, ldk);                           \
    }

DELTA_RULE_CHUNK_SCAN(f32, float)
DELTA_RULE_CHUNK_SCAN(f16, __half)
DELTA_RULE_CHUNK_SCAN(bf16, bf16)
