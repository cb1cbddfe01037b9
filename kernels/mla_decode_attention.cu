// mla_decode_attention: attention of MLA in its absorbed form against the paged latent cache, rows of 576 = 512 + 64.
#include "common/attention_products.cuh"
#include "common/bulk_copy.cuh"
#include "common/cache_tile.cuh"
#include "common/queries.cuh"
#include "common/ring.cuh"
#include "common/softmax.cuh"
#include "common/split.cuh"

constexpr int TILE = QUERY_ROWS; // rows of a block, keys of a tile
constexpr int WIDTH = 576;       // of a row of the cache
constexpr int VALUES = 512;
constexpr int BOXES = WIDTH / BOX_COLUMNS;
constexpr int BOX = QUERY_BOX_BYTES;
constexpr int WARPGROUP = 128;
constexpr int SCORES = 1;  // named barrier of the warpgroup that makes scores
constexpr int WIDENS = 2;  // of the one that widens e4m3
#ifndef LATER
#define LATER true
#endif
constexpr float LOG2E = 1.4426950408889634f;

// A bf16 cache is multiplied as it is, an e4m3 one as f16, which holds its values exactly; queries then become f16 with
// a power of two for each row. HELD boxes of the queries lie in registers, the others in shared memory. Value columns
// of keys go through a ring of PAIRS two boxes wide, four to a tile, rope columns through one of ROPES boxes, which
// become probabilities once scores are made.
template <class C>
struct Format;

template <>
struct Format<bf16> {
    using Operand = bf16;
    static constexpr int PAIRS = 10, ROPES = 3, CODES = 0, HELD = 5, LIFT = 0;
    static constexpr int SCORE_REGISTERS = 160, LOAD_REGISTERS = 32;
};

template <>
struct Format<e4m3> {
    using Operand = __half;
    static constexpr int PAIRS = 8, ROPES = 2, CODES = 2, HELD = 4;
    static constexpr int LIFT = 7; // keeps small probabilities within f16
    static constexpr int SCORE_REGISTERS = 152, LOAD_REGISTERS = 40;
};

constexpr int OUTPUT_REGISTERS = 160;
constexpr int CODE_ROWS = 32; // of a stage of codes
constexpr int TILE_PAIRS = 4;

// What a block does, in shared memory: read where it is needed, it takes no registers.
struct Work : Task {
    int sequence, rank;
    int64_t firstPartial; // row of partial results, or -1 of a sequence that has none
};

template <class C>
struct Shared {
    using F = Format<C>;
    unsigned char pairs[F::PAIRS][2 * BOX];
    unsigned char ropes[F::ROPES][BOX];
    unsigned char queries[(BOXES - F::HELD) * BOX];
    unsigned char codes[F::CODES > 0 ? F::CODES * CODE_ROWS * WIDTH : 16];
    float factor[F::ROPES][TILE];
    float inverse[TILE];
    float logSum[TILE];
    int visible[TILE];
    Work work;
    Barrier pairFull[F::PAIRS], pairEmpty[F::PAIRS], ropeFull[F::ROPES], ropeEmpty[F::ROPES], ready[F::ROPES];
    Barrier codesFull[F::CODES > 0 ? F::CODES : 1], queriesTaken, finished;

    // The first of these places of the ring holds queries until they are taken.
    static constexpr int QUERY_PAIRS = (F::HELD + 1) / 2;
    __device__ __forceinline__ uint32_t heldQueries() const { return sharedAddress(pairs[F::PAIRS - QUERY_PAIRS]); }
};

// Issues s = q * keys^T of a tile as its columns arrive.
template <class C>
static __device__ __forceinline__ void issueScores(Shared<C>& shared, float (&s)[32],
                                                   const uint32_t (&held)[4 * Format<C>::HELD][4],
                                                   Turn<Format<C>::PAIRS> pair, Turn<Format<C>::ROPES> rope) {
    using E = typename Format<C>::Operand;
    constexpr int HELD = Format<C>::HELD;
    const Boxes queries = Boxes::rows(sharedAddress(shared.queries));
#pragma unroll
    for (int p = 0; p <= TILE_PAIRS; p++) {
        uint32_t at;
        if (p < TILE_PAIRS) {
            shared.pairFull[pair.place].wait(pair.parity);
            at = sharedAddress(shared.pairs[pair.place]);
            pair.advance(1);
        } else {
            shared.ropeFull[rope.place].wait(rope.parity);
            at = sharedAddress(shared.ropes[rope.place]);
        }
        const Boxes keys = Boxes::rows(at);
        openProducts();
#pragma unroll
        for (int k = 8 * p; k < min(8 * p + 8, 4 * BOXES); k++) {
            const uint32_t offset = k / 4 * BOX + k % 4 * 32;
            if (k < 4 * HELD) {
                multiplyN64<E>(s, held[k], keys.at(offset - 2 * p * BOX), k > 0);
            } else {
                multiplyN64<E>(s, queries.at(offset - HELD * BOX), keys.at(offset - 2 * p * BOX), true);
            }
        }
    }
    closeProducts();
}

// Rows of a tile's values from `first` on become zeros: what a page holds past the sequence's end may not be numbers.
template <class C>
static __device__ __forceinline__ void clearValues(Shared<C>& shared, Turn<Format<C>::PAIRS> pair, int first) {
    for (int p = 0; p < TILE_PAIRS; p++) {
        const uint32_t boxes = sharedAddress(shared.pairs[pair.place]);
        for (int r = first + threadIdx.x % WARPGROUP / 16; r < TILE; r += WARPGROUP / 16) {
            const int chunk = threadIdx.x % 16;
            storeChunk(boxes + chunk / 8 * BOX + r * BOX_ROW_BYTES + chunk % 8 * 16, make_uint4(0, 0, 0, 0));
        }
        pair.advance(1);
    }
}

// Scores and their softmax. Leaves the rows' 1/sum and log2(sum).
template <class C, int PAIR>
static __device__ __forceinline__ void score(
    Shared<C>& shared, const bf16* q, int64_t qToken, int64_t qHead, float scaleLog2) {
    const Work& work = shared.work;
    using E = typename Format<C>::Operand;
    constexpr int HELD = Format<C>::HELD;
    const int row = threadIdx.x % WARPGROUP / 32 * 16 + threadIdx.x % 32 / 4;
    const uint32_t heldBoxes = shared.heldQueries();
    const uint32_t queries = sharedAddress(shared.queries);
    const QueryRows rows{q + work.start * qToken, qToken, qHead, work.heads, work.row, work.rows};
    rows.copy(heldBoxes, 0, HELD);
    rows.copy(queries, HELD, BOXES);
    closeCopyGroup();
    awaitCopyGroups<0>();
    syncNamed(SCORES, WARPGROUP);
    float scale[2] = {scaleLog2, scaleLog2};
    if constexpr (IS_HALF<E>) {
        queriesToHalf(
            BOXES, [&](int b) { return b < HELD ? heldBoxes + b * BOX : queries + (b - HELD) * BOX; }, scale, row);
    }
    uint32_t held[4 * HELD][4];
#pragma unroll
    for (int k = 0; k < 4 * HELD; k++) {
        loadRows(held[k], heldBoxes + k / 4 * BOX, threadIdx.x % WARPGROUP / 32 * 16, k % 4);
    }
    showToTensorCores();
    if (threadIdx.x < TILE) {
        shared.visible[threadIdx.x] = min(work.visible(work.row + threadIdx.x), work.to);
    }
    arriveEverywhere<PAIR>(shared.queriesTaken);
    syncNamed(SCORES, WARPGROUP);
    OnlineSoftmax<Format<C>::LIFT> softmax;
    Turn<Format<C>::PAIRS> pair;
    Turn<Format<C>::ROPES> rope;
    float s[32];
    issueScores(shared, s, held, pair, rope);
    awaitProducts<0>();
    const int to = work.to, open = work.open;
    for (int at = work.from; at < to; at += TILE) {
        float factor[2];
        if (at + TILE > open) {
            hideKeys(s, {shared.visible[row] - at, shared.visible[row + 8] - at});
        }
        softmax.advance(s, scale, factor);
        syncNamed(SCORES, WARPGROUP); // no warp still reads rope columns for scores
        const uint32_t p = sharedAddress(shared.ropes[rope.place]) + threadIdx.x % 4 * 4;
#pragma unroll
        for (int j = 0; j < 8; j++) {
            storeWord(p + swizzledChunk(row, j), pack<E>(s[4 * j], s[4 * j + 1]));
            storeWord(p + swizzledChunk(row + 8, j), pack<E>(s[4 * j + 2], s[4 * j + 3]));
        }
        if (threadIdx.x % 4 == 0) {
            shared.factor[rope.place][row] = factor[0];
            shared.factor[rope.place][row + 8] = factor[1];
        }
        if constexpr (!IS_HALF<E>) {
            if (at + TILE > to) {
                clearValues(shared, pair, to - at);
            }
        }
        showToTensorCores();
        __syncwarp();
        Barrier& ready = shared.ready[rope.place];
        pair.advance(TILE_PAIRS);
        rope.advance(1);
        // The next tile's scores go first, so that its softmax runs beside this tile's output: unless they must wait.
        const bool more = at + TILE < to;
        const bool later = LATER && more && shared.ropeFull[rope.place].passed(rope.parity);
        if (!later && threadIdx.x % 32 == 0) {
            ready.arrive();
        }
        if (more) {
            issueScores(shared, s, held, pair, rope);
            awaitProducts<0>();
        }
        if (later && threadIdx.x % 32 == 0) {
            ready.arrive();
        }
    }
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const float sum = softmax.sum(half);
        if (threadIdx.x % 4 == 0) {
            shared.inverse[row + 8 * half] = sum == 0 ? 0 : 1 / sum; // a part may hide all its keys from a row
            shared.logSum[row + 8 * half] = softmax.logSum(half, sum);
        }
    }
    shared.finished.arrive();
}

// Half of the output's columns.
template <class C, int PAIR, class Store>
static __device__ __forceinline__ void output(Shared<C>& shared, int half, Store store) {
    const Work& work = shared.work;
    using E = typename Format<C>::Operand;
    const int row = threadIdx.x % WARPGROUP / 32 * 16 + threadIdx.x % 32 / 4;
    float o[2][64]; // two quarters of the columns
    Turn<Format<C>::PAIRS> pair;
    pair.advance(2 * half);
    Turn<Format<C>::ROPES> rope;
    const int tiles = (work.to - work.from + TILE - 1) / TILE;
    for (int i = 0; i < tiles; i++) {
        const Turn<Format<C>::PAIRS> other = pair.ahead(1);
        shared.pairFull[pair.place].wait(pair.parity);
        shared.pairFull[other.place].wait(other.parity);
        shared.ready[rope.place].wait(rope.parity);
        const float factor[2] = {shared.factor[rope.place][row], shared.factor[rope.place][row + 8]};
        if (i > 0 && __any_sync(0xFFFFFFFFu, factor[0] != 1 || factor[1] != 1)) {
#pragma unroll
            for (int e = 0; e < 64; e++) {
                o[0][e] *= factor[e / 2 % 2];
                o[1][e] *= factor[e / 2 % 2];
            }
        }
        const Boxes p = Boxes::rows(sharedAddress(shared.ropes[rope.place]));
        const Boxes values[2] = {Boxes::columns(sharedAddress(shared.pairs[pair.place]), BOX),
                                 Boxes::columns(sharedAddress(shared.pairs[other.place]), BOX)};
        openProducts();
#pragma unroll
        for (int k = 0; k < TILE / 16; k++) {
#pragma unroll
            for (int quarter = 0; quarter < 2; quarter++) {
                multiplyRows<E>(o[quarter], p.at(k * 32), values[quarter].at(k * 16 * BOX_ROW_BYTES), i > 0 || k > 0);
            }
        }
        closeProducts();
        awaitProducts<0>();
        arriveEverywhere<PAIR>(shared.pairEmpty[pair.place]);
        arriveEverywhere<PAIR>(shared.pairEmpty[other.place]);
        arriveEverywhere<PAIR>(shared.ropeEmpty[rope.place]);
        pair.advance(TILE_PAIRS);
        rope.advance(1);
    }
    shared.finished.wait(0);
#pragma unroll
    for (int h = 0; h < 2; h++) {
        const int r = row + 8 * h;
        if (work.row + r < work.rows) {
            store(o, h, work.row + r, 256 * half + threadIdx.x % 4 * 2, shared.inverse[r]);
        }
    }
}

// Keys from a bf16 cache, by one warp: each block of a pair copies half of a tile's rows to both.
template <int PAIR>
static __device__ __forceinline__ void load(
    Shared<bf16>& shared, const CUtensorMap& cache, const Paged& paged, int piece) {
    const Work& work = shared.work;
    constexpr int OWN = TILE / PAIR;
    constexpr uint32_t BLOCKS = PAIR == 1 ? 0 : (1 << PAIR) - 1;
    using F = Format<bf16>;
    const int lane = threadIdx.x % 32;
    CachePieces pieces;
#ifdef AHEAD
    CachePieces pieces2;
#endif
    Turn<F::PAIRS> pair;
    Turn<F::ROPES> rope;
    for (int at = work.from; at < work.to; at += TILE) {
        const int present = (min(TILE, work.to - at) + piece - 1) / piece * piece;
        const int first = work.rank * OWN;
        const int end = min(first + OWN, present);
        // Lane l < pieces of a tile knows the row of piece l of this block's part.
        int rows = 0;
        for (int r = first, i = 0; r < end; r += piece, i++) {
            const int row = pieces.row(paged, work.sequence, piece, at + r, work.to);
            rows = lane == i ? row : rows;
        }
#ifdef AHEAD
        {
            const int key = at + AHEAD * TILE + (blockIdx.x & 1) * 32;
            if (key < work.to) {
                const int row = pieces2.row(paged, work.sequence, piece > 32 ? 32 : piece, key, work.to);
                if (lane < BOXES) {
                    asm volatile("cp.async.bulk.prefetch.tensor.2d.L2.global.tile [%0, {%1, %2}];" ::"l"(&cache),
                                 "r"(lane * BOX_COLUMNS), "r"(row)
                                 : "memory");
                }
            }
        }
#endif
#pragma unroll 1
        for (int p = 0; p <= TILE_PAIRS; p++) {
            const bool isRope = p == TILE_PAIRS;
            Barrier& full = isRope ? shared.ropeFull[rope.place] : shared.pairFull[pair.place];
            const uint32_t to = sharedAddress(isRope ? shared.ropes[rope.place] : shared.pairs[pair.place]);
            if (isRope) {
                shared.ropeEmpty[rope.place].wait(rope.parity ^ 1);
            } else {
                if (pair.place == F::PAIRS - Shared<bf16>::QUERY_PAIRS) {
                    shared.queriesTaken.wait(0);
                }
                shared.pairEmpty[pair.place].wait(pair.parity ^ 1);
                pair.advance(1);
            }
            if (lane == 0) {
                full.arriveExpecting(present * BOX_ROW_BYTES * (isRope ? 1 : 2));
            }
            for (int r = first, i = 0; r < end; r += piece, i++) {
                const int row = __shfl_sync(0xFFFFFFFFu, rows, i);
                if (lane < (isRope ? 1 : 2)) {
                    copyBox(to + lane * BOX + r * BOX_ROW_BYTES, cache, (2 * p + lane) * BOX_COLUMNS, row, full,
                            BLOCKS);
                }
            }
        }
        rope.advance(1);
    }
}

// Keys from an e4m3 cache, by a warpgroup: each block of a pair widens half of a tile's rows for both.
template <int PAIR>
static __device__ __forceinline__ void widen(
    Shared<e4m3>& shared, const e4m3* cache, const Paged& paged, int piece) {
    const Work& work = shared.work;
    constexpr int OWN = TILE / PAIR;
    using F = Format<e4m3>;
    const int lane = threadIdx.x % 32;
    const int warp = threadIdx.x % WARPGROUP / 32;
    CachePieces pieces;
    Turn<F::CODES> used;
    auto fetch = [&](int place, int key) { // by warp 0
        const int rows = min(CODE_ROWS, max(0, work.to - key));
        Barrier& full = shared.codesFull[place];
        if (lane == 0) {
            full.arriveExpecting(rows * WIDTH);
        }
        const uint32_t to = sharedAddress(shared.codes) + place * CODE_ROWS * WIDTH;
        for (int r = 0; r < rows; r += piece) {
            const int row = pieces.row(paged, work.sequence, piece, key + r, work.to);
            if (lane == 0) {
                copyBulk(to + r * WIDTH, cache + static_cast<int64_t>(row) * WIDTH,
                         min(piece, rows - r) * WIDTH, full);
            }
        }
    };
    if (warp == 0) {
        for (int i = 0; i < F::CODES; i++) {
            fetch(i, work.from + work.rank * OWN + i * PAIR * CODE_ROWS);
        }
    }
    const int quarter = lane % 4;
    Turn<F::ROPES> turn; // pairs of a tile lie side by side, as ROPES tiles fill their ring
    static_assert(F::PAIRS == F::ROPES * TILE_PAIRS);
    for (int at = work.from; at < work.to; at += TILE) {
        if (turn.place == F::ROPES - 1) {
            shared.queriesTaken.wait(0);
        }
        for (int p = 0; p < TILE_PAIRS; p++) {
            shared.pairEmpty[turn.place * TILE_PAIRS + p].wait(turn.parity ^ 1);
        }
        shared.ropeEmpty[turn.place].wait(turn.parity ^ 1);
        for (int pass = 0; pass < OWN / CODE_ROWS; pass++) {
            const int row = work.rank * OWN + pass * CODE_ROWS + warp * 8 + lane / 4; // of the tile
            const bool valid = at + row < work.to;
            const uint32_t from =
                sharedAddress(shared.codes) + (used.place * CODE_ROWS + warp * 8 + lane / 4) * WIDTH + quarter * 16;
            const uint32_t offset = swizzledChunk(row, 2 * quarter);
            const uint32_t to = sharedAddress(shared.pairs[turn.place * TILE_PAIRS]) + offset;
            const uint32_t toRope = sharedAddress(shared.ropes[turn.place]) + offset;
            shared.codesFull[used.place].wait(used.parity);
#pragma unroll
            for (int b = 0; b < BOXES; b++) {
                uint4 halves[2];
                const uint4 codes = loadChunk(from + b * BOX_COLUMNS);
                widenToHalf(valid ? codes : make_uint4(0, 0, 0, 0), halves);
                const uint32_t target = b < BOXES - 1 ? to + b * BOX : toRope;
                storeChunk(target, halves[0]);
                storeChunk(target ^ 16, halves[1]); // the neighbouring chunk
                if (PAIR == 2) {
                    const Barrier& full = b < BOXES - 1 ? shared.pairFull[turn.place * TILE_PAIRS + b / 2]
                                                        : shared.ropeFull[turn.place];
                    const uint32_t fullThere = sharedOf(work.rank ^ 1, sharedAddress(&full));
                    sendChunk(sharedOf(work.rank ^ 1, target), halves[0], fullThere);
                    sendChunk(sharedOf(work.rank ^ 1, target ^ 16), halves[1], fullThere);
                }
            }
            showToTensorCores();
            syncNamed(WIDENS, WARPGROUP); // these codes are read
            if (warp == 0) {
                fetch(used.place, at + work.rank * OWN + (pass + F::CODES * PAIR) * CODE_ROWS);
            }
            used.advance(1);
        }
        if (threadIdx.x % WARPGROUP <= TILE_PAIRS) {
            const int p = threadIdx.x % WARPGROUP;
            Barrier& full = p < TILE_PAIRS ? shared.pairFull[turn.place * TILE_PAIRS + p] : shared.ropeFull[turn.place];
            full.arriveExpecting((PAIR - 1) * OWN * BOX_ROW_BYTES * (p < TILE_PAIRS ? 2 : 1));
        }
        turn.advance(1);
    }
}

template <int PAIR>
static __device__ __forceinline__ void produce(
    Shared<bf16>& shared, const CUtensorMap* cache, const Paged& paged, int piece) {
    if (threadIdx.x % WARPGROUP < 32) {
        load<PAIR>(shared, *cache, paged, piece);
    }
}

template <int PAIR>
static __device__ __forceinline__ void produce(
    Shared<e4m3>& shared, const e4m3* cache, const Paged& paged, int piece) {
    widen<PAIR>(shared, cache, paged, piece);
}

template <class C, int PAIR, class Cache>
static __device__ __forceinline__ void decode(bf16* out, float* partial, float* logSum, const bf16* q, Cache cache,
                                              const Paged& paged, int heads, int chunk, int piece, int64_t qToken,
                                              int64_t qHead, int64_t outToken, int64_t outHead, float scale) {
    using F = Format<C>;
    extern __shared__ unsigned char memory[];
    auto& shared = *reinterpret_cast<Shared<C>*>(memory + (1024 - sharedAddress(memory) % 1024) % 1024);
    const Split split{paged.starts, paged.past, heads, chunk};
    const int sequence = blockIdx.z;
    const int part = blockIdx.y;
    const int rank = PAIR == 1 ? 0 : clusterRank();
    const int from = part * chunk;
    const int to = min(from + chunk, split.keys(sequence));
    const int firstRow = (blockIdx.x - rank) * TILE; // of the cluster
    if (firstRow >= split.queries(sequence) * heads || from >= to) {
        return; // all blocks of the cluster
    }
    const int64_t before = split.parts(sequence) == 1 ? -1 : split.firstPartial(sequence);
    if (threadIdx.x == 0) {
        Work& work = shared.work;
        work.start = paged.starts[sequence];
        work.heads = heads;
        work.row = firstRow + rank * TILE;
        work.rows = split.queries(sequence) * heads;
        work.past = paged.past[sequence];
        work.from = from;
        work.to = to;
        work.open = min(work.visible(work.row), to);
        work.sequence = sequence;
        work.rank = rank;
        work.firstPartial = before < 0 ? -1 : before + static_cast<int64_t>(part) * work.rows;
        shared.queriesTaken.init(4 * PAIR);
        shared.finished.init(WARPGROUP);
        for (int i = 0; i < F::PAIRS; i++) {
            shared.pairFull[i].init(1);
            shared.pairEmpty[i].init(4 * PAIR);
        }
        for (int i = 0; i < F::ROPES; i++) {
            shared.ropeFull[i].init(1);
            shared.ropeEmpty[i].init(2 * 4 * PAIR);
            shared.ready[i].init(4);
        }
        for (int i = 0; i < F::CODES; i++) {
            shared.codesFull[i].init(1);
        }
        fenceBarrierInit();
    }
    if (PAIR == 1) {
        __syncthreads();
    } else {
        syncCluster();
    }
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory"); // the combination of parts may get ready
    const int group = threadIdx.x / WARPGROUP;
    if (group == 0) {
        claimRegisters<F::SCORE_REGISTERS>();
        score<C, PAIR>(shared, q, qToken, qHead, scale * LOG2E);
    } else if (group == 3) {
        giveUpRegisters<F::LOAD_REGISTERS>();
        produce<PAIR>(shared, cache, paged, piece);
    } else {
        claimRegisters<OUTPUT_REGISTERS>();
        output<C, PAIR>(
            shared, group - 1, [&](const float (&o)[2][64], int h, int r, int column, float inverse) {
                const int64_t first = shared.work.firstPartial;
                bf16* to = out + (shared.work.start + r / heads) * outToken + r % heads * outHead + column;
                float* toPartial = partial + (first + r) * VALUES + column;
#pragma unroll
                for (int j = 0; j < 32; j++) {
                    const float low = o[j / 16][j % 16 * 4 + 2 * h] * inverse;
                    const float high = o[j / 16][j % 16 * 4 + 2 * h + 1] * inverse;
                    if (first < 0) {
                        *reinterpret_cast<uint32_t*>(to + 8 * j) = packBf16(low, high);
                    } else {
                        *reinterpret_cast<float2*>(toPartial + 8 * j) = make_float2(low, high);
                    }
                }
            });
        const Work& work = shared.work;
        const int r = threadIdx.x - WARPGROUP;
        if (work.firstPartial >= 0 && r < TILE && work.row + r < work.rows) {
            logSum[work.firstPartial + work.row + r] = shared.logSum[r];
        }
    }
    if (PAIR > 1) {
        __syncwarp();
        syncCluster(); // the other block may still arrive at barriers of this one
    }
}

#define MLA_DECODE_ATTENTION(NAME, C, PAIR, PARAMETER, CACHE)                                                          \
    extern "C" __global__ __launch_bounds__(4 * WARPGROUP, 1)      void NAME(                                             \
        PARAMETER, bf16* out, float* partial, float* logSum, const bf16* q, const int* starts, const int* past,        \
        const int* pageTable, int B, int tablePages, int pageTokens, int Q, int chunk, int piece, int64_t qToken,      \
        int64_t qHead, int64_t outToken, int64_t outHead, float scale) {                                               \
        decode<C, PAIR>(out, partial, logSum, q, CACHE, Paged{starts, past, pageTable, B, tablePages, pageTokens}, Q,  \
                        chunk, piece, qToken, qHead, outToken, outHead, scale);                                        \
    }

MLA_DECODE_ATTENTION(mla_decode_attention_d576_bf16, bf16, 1, const __grid_constant__ CUtensorMap cache, &cache)
MLA_DECODE_ATTENTION(mla_decode_attention_d576_pair_bf16, bf16, 2, const __grid_constant__ CUtensorMap cache, &cache)
MLA_DECODE_ATTENTION(mla_decode_attention_d576_e4m3, e4m3, 1, const e4m3* cache, cache)
MLA_DECODE_ATTENTION(mla_decode_attention_d576_pair_e4m3, e4m3, 2, const e4m3* cache, cache)
