// delta_rule_chunk_scan: the recurrence over chunks of the delta rule: the second of two passes over prefill.
//
// Math      per chunk, with S at its start and what delta_rule_chunk_prepare left:
//           e = u - w S; out = through * (q S) + scores e; S <- kept*S + k^T diag(rest) e
// Shapes    out [T,Q,128], state [slots,Q,128,128] in S, q, k [T,G,128]; starts [B+1], past, slots [B] int32; chunks
//           [B,most,Q]; S starts from zero where the sequence has no past
// Layout    tokens of q and k lie ldq and ldk elements apart, 16-byte aligned, steps multiples of 8; out and state contiguous
// Roofline  bytes = chunks and out once, q and k of a head from L2 for each of its blocks; flops = 2*T*Q*(3*128*128 + 64*128);
//           bound by the chain of chunks: a block's products of one after those of the one before
// Launch    grid (4, Q, B), block (256), 203,776 bytes of dynamic shared memory; a block has 32 columns of a head's state
// Numerics  S and e are rounded to bf16 where they meet in products, sums and the state itself are float32
// Source    Yang et al. 2024, "Parallelizing Linear Transformers with the Delta Rule", §3; Yang, Kautz and Hatamizadeh 2024
#include "common/delta_chunks.cuh"
#include "common/recurrent.cuh"
#include "common/warp_tiles.cuh"

constexpr int COLUMNS = 32;
constexpr int STAGES = 3; // the copies of a chunk have the time of the two before it
constexpr int ROW_BYTES = DELTA_CHUNK * DELTA_K * 2;

// A chunk in shared memory: 16-byte pieces of it are copied as they lie, rows of q and k swizzled.
struct Stage {
    uint8_t q[ROW_BYTES], k[ROW_BYTES];
    uint4 w[DELTA_WIDE];
    uint4 u[DELTA_ROW_TILES * COLUMNS / 16 * 32];
    uint4 scores[DELTA_SCORES];
    DeltaGates gates;
    uint8_t unused[384]; // the next stage's tiles start at a multiple of 1024
};
static_assert(sizeof(Stage) % 1024 == 0, "stages follow each other");

static __device__ void fetch(Stage& to, const DeltaChunk& chunk, const bf16* q, const bf16* k, int64_t ldq, int64_t ldk,
                             int rows, int part) {
    copyRows<256, DELTA_CHUNK, 256>({sharedAddress(to.q)}, q, ldq, rows);
    copyRows<256, DELTA_CHUNK, 256>({sharedAddress(to.k)}, k, ldk, rows);
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
    float s[COLUMNS / 8][4] = {};
    const int stateRow = 16 * warp + lane / 4;
    if (past[sequence] > 0) {
#pragma unroll
        for (int j = 0; j < COLUMNS / 8; j++) {
#pragma unroll
            for (int h = 0; h < 2; h++) {
                loadPair(s[j][2 * h], s[j][2 * h + 1], own + (stateRow + 8 * h) * DELTA_K + 8 * j + lane % 4 * 2);
            }
        }
    }
    const int count = (length + DELTA_CHUNK - 1) / DELTA_CHUNK;
    auto fetchChunk = [&](int i) {
        if (i < count) {
            const int64_t token = static_cast<int64_t>(i) * DELTA_CHUNK;
            fetch(stages[i % STAGES], chunks[static_cast<int64_t>(i) * heads], q + token * ldq, k + token * ldk, ldq, ldk,
                  length - static_cast<int>(token), part);
        }
        closeCopyGroup(); // an empty one too: groups are counted
    };
    fetchChunk(0);
    fetchChunk(1);
    // Of a chunk, the warp has rows 16*tile .. and columns 16*side ..
    const int tile = warp % 4, side = warp / 4;
    const int row = 16 * tile + lane / 4;
    for (int i = 0; i < count; i++) {
#pragma unroll
        for (int j = 0; j < COLUMNS / 8; j++) {
            storeShared(states.pair(stateRow, j), packBf16(s[j][0], s[j][1]));
            storeShared(states.pair(stateRow + 8, j), packBf16(s[j][2], s[j][3]));
        }
        awaitCopyGroups<1>();
        __syncthreads(); // chunk and state are there, and all are done with the chunk before
        fetchChunk(i + 2); // where that one was
        const Stage& stage = stages[i % STAGES];
        const WarpTile<256> queries{sharedAddress(stage.q)}, keys{sharedAddress(stage.k)};
        float taken[2][4] = {}, read[2][4] = {};
#pragma unroll 4
        for (int d = 0; d < DELTA_K / 16; d++) {
            uint32_t w[4], a[4], operands[2][2];
            unpack(w, stage.w[(tile * (DELTA_K / 16) + d) * 32 + lane]);
            queries.left(a, 16 * tile, d);
            states.rightTransposed(operands, 16 * side, d);
            addWarpProduct(taken[0], w, operands[0]);
            addWarpProduct(taken[1], w, operands[1]);
            addWarpProduct(read[0], a, operands[0]);
            addWarpProduct(read[1], a, operands[1]);
        }
        uint32_t u[4];
        unpack(u, stage.u[(tile * 2 + side) * 32 + lane]);
#pragma unroll
        for (int j = 0; j < 2; j++) {
#pragma unroll
            for (int h = 0; h < 2; h++) {
                const float low = lowBf16(u[2 * j + h]) - taken[j][2 * h];
                const float high = highBf16(u[2 * j + h]) - taken[j][2 * h + 1];
                const float rest = stage.gates.rest[row + 8 * h];
                storeShared(corrections.pair(row + 8 * h, 2 * side + j), packBf16(low, high));
                storeShared(rests.pair(row + 8 * h, 2 * side + j), packBf16(rest * low, rest * high));
                const float through = stage.gates.through[row + 8 * h];
                read[j][2 * h] *= through;
                read[j][2 * h + 1] *= through;
            }
        }
        __syncthreads(); // corrections are there, and the state is read
        const float kept = stage.gates.kept;
#pragma unroll
        for (int j = 0; j < COLUMNS / 8; j++) {
#pragma unroll
            for (int e = 0; e < 4; e++) {
                s[j][e] *= kept;
            }
        }
#pragma unroll
        for (int t = 0; t < DELTA_CHUNK / 16; t++) {
            uint32_t a[4], operands[2][2];
            keys.leftTransposed(a, 16 * warp, t);
#pragma unroll
            for (int j = 0; j < COLUMNS / 8; j += 2) {
                rests.rightTransposed(operands, 8 * j, t);
                addWarpProduct(s[j], a, operands[0]);
                addWarpProduct(s[j + 1], a, operands[1]);
            }
            if (t <= tile) {
                unpack(a, stage.scores[(tile * (DELTA_CHUNK / 16) + t) * 32 + lane]);
                corrections.rightTransposed(operands, 16 * side, t);
                addWarpProduct(read[0], a, operands[0]);
                addWarpProduct(read[1], a, operands[1]);
            }
        }
#pragma unroll
        for (int h = 0; h < 2; h++) {
            const int64_t t = static_cast<int64_t>(i) * DELTA_CHUNK + row + 8 * h;
            if (t < length) {
                bf16* to = out + t * heads * DELTA_K + 16 * side + lane % 4 * 2;
                *reinterpret_cast<uint32_t*>(to) = packBf16(read[0][2 * h], read[0][2 * h + 1]);
                *reinterpret_cast<uint32_t*>(to + 8) = packBf16(read[1][2 * h], read[1][2 * h + 1]);
            }
        }
    }
#pragma unroll
    for (int j = 0; j < COLUMNS / 8; j++) {
#pragma unroll
        for (int h = 0; h < 2; h++) {
            storePair(own + (stateRow + 8 * h) * DELTA_K + 8 * j + lane % 4 * 2, s[j][2 * h], s[j][2 * h + 1]);
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
