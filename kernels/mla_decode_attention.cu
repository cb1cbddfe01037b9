// mla_decode_attention: attention of MLA in its absorbed form against the paged latent cache, rows of 576 = 512 + 64.
//
// Math      score[i,h,s] = scale * (q[i,h,:] . cache[row(s),:]) for s <= past + i; out[i,h,:] =
//           sum_s softmax_s(score[i,h])[s] * cache[row(s),0:512]; i and s counted within a sequence, whose own tokens
//           are in the cache already; scale > 0
// Shapes    q [T,Q,576], cache [pages, pageTokens, 576] bf16, out [T,Q,512], starts [B+1], past [B],
//           pageTable [B, tablePages] int32, partial [P,512], logSum [P] float32; any T, Q, B, past; pageTokens a
//           multiple of 8
// Layout    steps in elements between tokens and heads as named, elements of a head side by side; steps of q are
//           multiples of 8, those of out of 2, pointers of 16 bytes; tables are contiguous. cache: a map
//           [pages*pageTokens, 576], boxes of 64 columns and `piece` rows in the 128-byte swizzle, piece the greatest
//           common divisor of pageTokens and 64, of pairs 32
// Roofline  flops = 2176*Q*pairs with pairs = sum_b(n*past + n*(n+1)/2), bytes = 2*T*Q*1088 + sum_b(past+n)*1152: about
//           even on H100 at 128 heads and one query, bandwidth-bound at fewer heads
// Launch    grid (ceil(longest*Q/64), ceil(keys/chunk), B), longest = most new tokens and keys = most tokens of a
//           sequence; block (512); dynamic shared memory 232120 B (attribute to be raised). A block: 64 rows (query
//           and head) of one sequence, chunk keys in tiles of 64. Warpgroup 0 makes scores, 1 and 2 half of the output
//           each; probabilities go through the rope columns of the keys, which values do not need. A warp of
//           warpgroup 3 asks for copies, two tiles and a half ahead. _pair: clusters of two along x, x even: each block
//           asks for half of the keys and both get them.
//           chunk = the c = 64*k that makes 10 * ceil(blocks(c)/132) * (k + 5) + ceil(keys/c) least, with blocks(c) =
//           sum_b ceil(n*Q/64) * ceil((past+n)/c), the smallest of equal ones: 132 SMs evenly busy, few parts to
//           combine; any multiple of 64 is right. Where keys > chunk, attention_combine follows, and P = sum of
//           parts*n*Q over sequences of more than one part, parts = ceil((past+n)/chunk); else partial and logSum may
//           be null
// Numerics  probabilities rounded to bf16, scores and sums in float32: |err| <= 2^-8*|y| + (2^-8 + S*2^-24)*sum(p*|v|);
//           the same bits each time
// Source    DeepSeek-AI 2024 (DeepSeek-V2), §2.1; Dao et al. 2022, algorithm 1; partial results: Dao et al. 2023
#include "common/cache_tile.cuh"
#include "common/cluster.cuh"
#include "common/queries.cuh"
#include "common/ring.cuh"
#include "common/softmax.cuh"
#include "common/split.cuh"

constexpr int TILE = QUERY_ROWS; // rows of a block, keys of a tile
constexpr int WIDTH = 576;
constexpr int VALUES = 512;
constexpr int BOX = QUERY_BOX_BYTES;
constexpr int UNIT_BOXES = 4; // half of a tile's values
constexpr int UNITS = 5;      // in shared memory
constexpr int ROPES = 3;      // rope columns of tiles, later their probabilities
constexpr int BOXES = WIDTH / BOX_COLUMNS;
constexpr int HELD = 16; // of the products along a row, those whose queries lie in registers
constexpr int HELD_BOXES = HELD / 4;
constexpr int WARPGROUP = 128;
constexpr int SCORES = 1; // named barrier of the warpgroup that makes scores
#ifndef LATER
#define LATER 1
#endif
constexpr float LOG2E = 1.4426950408889634f;

struct Shared {
    unsigned char values[UNITS][UNIT_BOXES][BOX];
    unsigned char rope[ROPES][BOX];
    unsigned char queries[BOXES - HELD_BOXES][BOX];
    float factor[ROPES][TILE];
    float inverse[TILE];
    Barrier full[UNITS], empty[UNITS], ropeFull[ROPES], ropeEmpty[ROPES], ready[ROPES], queriesTaken, finished;
};
static_assert(sizeof(Shared) + 1024 <= 232448, "as the header says");

// Whether blocks share their keys with the next, and what it takes.
template <bool PAIR>
struct Sharing {
    static constexpr int BLOCKS = PAIR ? 2 : 1;

    // Tells all blocks, when this warp got here.
    static __device__ __forceinline__ void arrive(Barrier& barrier) {
        __syncwarp();
        if constexpr (PAIR) {
            if (threadIdx.x % 32 < 2) {
                arriveAt(barrier, threadIdx.x % 32);
            }
        } else if (threadIdx.x % 32 == 0) {
            barrier.arrive();
        }
    }

    static __device__ __forceinline__ void sync() {
        if constexpr (PAIR) {
            syncCluster();
        } else {
            __syncthreads();
        }
    }
};

// Issues s = q * keys^T of a tile as its parts come.
static __device__ __forceinline__ void issueScores(float (&s)[32], Shared& shared, const uint32_t (&held)[HELD][4],
                                                   const Turn<UNITS>& left, const Turn<ROPES>& rope) {
    const Turn<UNITS> right = left.ahead(1);
    const Boxes queries = Boxes::rows(sharedAddress(shared.queries));
    shared.full[left.place].wait(left.parity);
    const Boxes first = Boxes::rows(sharedAddress(shared.values[left.place]));
    openProducts();
#pragma unroll
    for (int k = 0; k < HELD; k++) {
        multiplyN64<bf16>(s, held[k], first.at(k / 4 * BOX + k % 4 * 32), k > 0);
    }
    shared.full[right.place].wait(right.parity);
    const Boxes second = Boxes::rows(sharedAddress(shared.values[right.place]));
#pragma unroll
    for (int k = 0; k < 4 * UNIT_BOXES; k++) {
        const uint32_t at = k / 4 * BOX + k % 4 * 32;
        multiplyN64<bf16>(s, queries.at(at), second.at(at), true);
    }
    shared.ropeFull[rope.place].wait(rope.parity);
    const Boxes last = Boxes::rows(sharedAddress(shared.rope[rope.place]));
#pragma unroll
    for (int k = 0; k < 4; k++) {
        multiplyN64<bf16>(s, queries.at(UNIT_BOXES * BOX + k * 32), last.at(k * 32), true);
    }
    closeProducts();
}

// Rows of a unit of values from `first` on become zeros: what a page holds past the sequence's end may not be numbers.
static __device__ __forceinline__ void clearValues(uint32_t unit, int first) {
    for (int r = first + threadIdx.x / 32; r < TILE; r += WARPGROUP / 32) {
        const int chunk = threadIdx.x % 32;
        storeChunk(unit + chunk / 8 * BOX + r * BOX_ROW_BYTES + chunk % 8 * 16, make_uint4(0, 0, 0, 0));
    }
}

// Scores and their softmax. Leaves the rows' 1/sum and, for a part, their log2(sum).
template <bool PAIR>
static __device__ __forceinline__ void score(
    Shared& shared, const QueryRows& rows, const Task& task, float scale, float* logSum) {
    const int row = threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4;
    rows.copy(sharedAddress(shared.values[UNITS - 1]), 0, HELD_BOXES);
    rows.copy(sharedAddress(shared.queries), HELD_BOXES, BOXES);
    closeCopyGroup();
    awaitCopyGroups<0>();
    showToTensorCores();
    syncNamed(SCORES, WARPGROUP);
    uint32_t held[HELD][4];
#pragma unroll
    for (int k = 0; k < HELD; k++) {
        loadRows(held[k], sharedAddress(shared.values[UNITS - 1][k / 4]), threadIdx.x / 32 * 16, k % 4);
    }
    Sharing<PAIR>::arrive(shared.queriesTaken);
    const int visible[2] = {min(task.visible(task.row + row), task.to), min(task.visible(task.row + row + 8), task.to)};
    const float scales[2] = {scale, scale};
    OnlineSoftmax<0> softmax;
    Turn<UNITS> left;
    Turn<ROPES> rope;
    float s[32];
    issueScores(s, shared, held, left, rope);
    awaitProducts<0>();
    for (int at = task.from; at < task.to; at += TILE) {
        float factor[2];
        if (at + TILE > task.open) {
            hideKeys(s, {visible[0] - at, visible[1] - at});
        }
        softmax.advance(s, scales, factor);
        syncNamed(SCORES, WARPGROUP); // no warp still reads rope columns for scores
        const uint32_t p = sharedAddress(shared.rope[rope.place]) + threadIdx.x % 4 * 4;
#pragma unroll
        for (int j = 0; j < 8; j++) {
            storeWord(p + swizzledChunk(row, j), packBf16(s[4 * j], s[4 * j + 1]));
            storeWord(p + swizzledChunk(row + 8, j), packBf16(s[4 * j + 2], s[4 * j + 3]));
        }
        if (threadIdx.x % 4 == 0) {
            shared.factor[rope.place][row] = factor[0];
            shared.factor[rope.place][row + 8] = factor[1];
        }
        if (at + TILE > task.to) {
            clearValues(sharedAddress(shared.values[left.place]), task.to - at);
            clearValues(sharedAddress(shared.values[left.ahead(1).place]), task.to - at);
        }
        showToTensorCores();
        // The next tile's scores go first, so that its softmax runs beside this tile's output: unless they must wait.
        Barrier& ready = shared.ready[rope.place];
        left.advance(2);
        rope.advance(1);
        const bool more = at + TILE < task.to;
        const bool later =
            LATER && more && __all_sync(0xFFFFFFFFu, passed(shared.ropeFull[rope.place], rope.parity));
        if (!later) {
            arriveWarp(ready);
        }
        if (more) {
            issueScores(s, shared, held, left, rope);
            if (later) {
                arriveWarp(ready);
            }
            awaitProducts<0>();
        }
    }
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const float sum = softmax.sum(half);
        const int r = task.row + row + 8 * half;
        if (threadIdx.x % 4 == 0) {
            shared.inverse[row + 8 * half] = sum == 0 ? 0 : 1 / sum; // a part may hide all its keys from a row
            if (logSum != nullptr && r < task.rows) {
                logSum[r] = softmax.logSum(half, sum);
            }
        }
    }
    shared.finished.arrive();
}

// Half of the output, divided by the rows' sums, as bf16 or as float32.
template <bool PAIR, class Store>
static __device__ __forceinline__ void output(Shared& shared, const Task& task, int half, Store store) {
    const int row = threadIdx.x % WARPGROUP / 32 * 16 + threadIdx.x % 32 / 4;
    Turn<UNITS> unit = Turn<UNITS>().ahead(half);
    Turn<ROPES> rope;
    float o[2][64]; // quarters of the columns
    for (int at = task.from; at < task.to; at += TILE) {
        shared.full[unit.place].wait(unit.parity);
        shared.ready[rope.place].wait(rope.parity);
        const float factor[2] = {shared.factor[rope.place][row], shared.factor[rope.place][row + 8]};
        if (at > task.from && __any_sync(0xFFFFFFFFu, factor[0] != 1 || factor[1] != 1)) {
#pragma unroll
            for (int i = 0; i < 128; i++) {
                o[i / 64][i % 64] *= factor[i / 2 % 2];
            }
        }
        const Boxes p = Boxes::rows(sharedAddress(shared.rope[rope.place]));
        const Boxes values = Boxes::columns(sharedAddress(shared.values[unit.place]), BOX);
        openProducts();
#pragma unroll
        for (int k = 0; k < TILE / 16; k++) {
#pragma unroll
            for (int c = 0; c < 2; c++) {
                multiplyRowsN128(o[c], p.at(k * 32), values.at(k * 16 * BOX_ROW_BYTES + c * 2 * BOX),
                                 at > task.from || k > 0);
            }
        }
        closeProducts();
        awaitProducts<0>();
        Sharing<PAIR>::arrive(shared.empty[unit.place]);
        Sharing<PAIR>::arrive(shared.ropeEmpty[rope.place]);
        unit.advance(2);
        rope.advance(1);
    }
    shared.finished.wait(0);
#pragma unroll
    for (int h = 0; h < 2; h++) {
        const int r = row + 8 * h;
        if (task.row + r < task.rows) {
            const float inverse = shared.inverse[r];
#pragma unroll
            for (int j = 0; j < 32; j++) {
                const float* y = o[j / 16] + 4 * (j % 16) + 2 * h;
                store(task.row + r, 256 * half + 8 * j + threadIdx.x % 4 * 2, y[0] * inverse, y[1] * inverse);
            }
        }
    }
}

// Keys, by one warp.
template <bool PAIR>
static __device__ __forceinline__ void load(
    Shared& shared, const CUtensorMap& cache, const Paged& paged, int sequence, int from, int to, int piece) {
    const int lane = threadIdx.x % 32;
    const int rank = PAIR ? rankInCluster() : 0;
    const uint64_t policy = cachePolicy(Keep::SHORT);
    CachePieces pieces;
    Turn<UNITS> unit;
    Turn<ROPES> rope;
    // Boxes of a tile, as many as lanes below `boxes`, from column `column` on.
    auto copy = [&](uint32_t place, int boxes, int column, Barrier& full, int at, int present) {
        if (lane == 0) {
            full.arriveExpecting(present * boxes * BOX_ROW_BYTES);
        }
        __syncwarp();
        for (int r = rank * piece; r < present; r += Sharing<PAIR>::BLOCKS * piece) {
            const int row = pieces.row(paged, sequence, piece, at + r, to);
            if (lane < boxes) {
                const uint32_t target = place + lane * BOX + r * BOX_ROW_BYTES;
                if constexpr (PAIR) {
                    copyBoxToBoth(target, cache, full, column + lane * BOX_COLUMNS, row, policy);
                } else {
                    copyBox(target, cache, full, column + lane * BOX_COLUMNS, row, policy);
                }
            }
        }
    };
    for (int at = from; at < to; at += TILE) {
        const int present = (min(TILE, to - at) + piece - 1) / piece * piece;
#pragma unroll
        for (int half = 0; half < 2; half++) {
            if (unit.place == UNITS - 1) {
                shared.queriesTaken.wait(0);
            }
            shared.empty[unit.place].wait(unit.parity ^ 1);
            copy(sharedAddress(shared.values[unit.place]), UNIT_BOXES, half * UNIT_BOXES * BOX_COLUMNS,
                 shared.full[unit.place], at, present);
            unit.advance(1);
        }
        shared.ropeEmpty[rope.place].wait(rope.parity ^ 1);
        copy(sharedAddress(shared.rope[rope.place]), 1, VALUES, shared.ropeFull[rope.place], at, present);
        rope.advance(1);
    }
}

template <bool PAIR>
static __device__ __forceinline__ void attend(const CUtensorMap& cache, bf16* out, float* partial, float* logSum,
                                              const bf16* q, const Paged& paged, int Q, int chunk, int piece,
                                              int64_t qToken, int64_t qHead, int64_t outToken, int64_t outHead,
                                              float scale) {
    extern __shared__ unsigned char memory[];
    Shared& shared = *reinterpret_cast<Shared*>(memory + (1024 - sharedAddress(memory) % 1024) % 1024);
    const Split split{paged.starts, paged.past, Q, chunk};
    const int sequence = blockIdx.z;
    const int part = blockIdx.y;
    Task task{paged.starts[sequence], Q, static_cast<int>(blockIdx.x) * TILE, split.queries(sequence) * Q,
              paged.past[sequence], part * chunk, min((part + 1) * chunk, split.keys(sequence)), 0};
    task.open = min(task.visible(task.row), task.to);
    // A block without rows stays where the other of its pair has some.
    const int firstRow = blockIdx.x / Sharing<PAIR>::BLOCKS * Sharing<PAIR>::BLOCKS * TILE;
    if (firstRow >= task.rows || task.from >= task.to) {
        return;
    }
    const bool whole = split.parts(sequence) == 1;
    const int64_t firstPartial = whole ? 0 : split.firstPartial(sequence) + static_cast<int64_t>(part) * task.rows;
    if (threadIdx.x == 0) {
        constexpr int BLOCKS = Sharing<PAIR>::BLOCKS;
        shared.queriesTaken.init(4 * BLOCKS);
        shared.finished.init(WARPGROUP);
        for (int i = 0; i < UNITS; i++) {
            shared.full[i].init(1);
            shared.empty[i].init(4 * BLOCKS);
        }
        for (int i = 0; i < ROPES; i++) {
            shared.ropeFull[i].init(1);
            shared.ropeEmpty[i].init(8 * BLOCKS);
            shared.ready[i].init(4);
        }
        fenceBarrierInit();
    }
    Sharing<PAIR>::sync();
    const int group = threadIdx.x / WARPGROUP;
    if (group == 0) {
        claimRegisters<144>();
        score<PAIR>(shared, {q + task.start * qToken, qToken, qHead, Q, task.row, task.rows}, task, scale * LOG2E,
                    whole ? nullptr : logSum + firstPartial);
    } else if (group == 3) {
        giveUpRegisters<32>();
        if (threadIdx.x < 3 * WARPGROUP + 32) {
            load<PAIR>(shared, cache, paged, sequence, task.from, task.to, piece);
        }
    } else {
        claimRegisters<168>();
        if (whole) {
            output<PAIR>(shared, task, group - 1, [&](int r, int column, float first, float second) {
                bf16* to = out + (task.start + r / Q) * outToken + r % Q * outHead + column;
                *reinterpret_cast<uint32_t*>(to) = packBf16(first, second);
            });
        } else {
            output<PAIR>(shared, task, group - 1, [&](int r, int column, float first, float second) {
                float* to = partial + (firstPartial + r) * VALUES + column;
                *reinterpret_cast<float2*>(to) = make_float2(first, second);
            });
        }
    }
    if constexpr (PAIR) {
        __syncwarp();
        syncCluster(); // the other block may still bring keys here, or arrive
    }
}

#define MLA_DECODE_ATTENTION(NAME, PAIR, CLUSTER)                                                                      \
    extern "C" __global__ CLUSTER __launch_bounds__(4 * WARPGROUP, 1) void NAME(                                       \
        const __grid_constant__ CUtensorMap cache, bf16* out, float* partial, float* logSum, const bf16* q,            \
        const int* starts, const int* past, const int* pageTable, int B, int tablePages, int pageTokens, int Q,        \
        int chunk, int piece, int64_t qToken, int64_t qHead, int64_t outToken, int64_t outHead, float scale) {         \
        attend<PAIR>(cache, out, partial, logSum, q, {starts, past, pageTable, B, tablePages, pageTokens}, Q, chunk,   \
                     piece, qToken, qHead, outToken, outHead, scale);                                                  \
    }

MLA_DECODE_ATTENTION(mla_decode_attention_d576_bf16, false, )
MLA_DECODE_ATTENTION(mla_decode_attention_pair_d576_bf16, true, __cluster_dims__(2, 1, 1))
