// gqa_decode_attention: causal attention of grouped queries against a paged cache, head dimensions 128 and 256.
//
// Math      score[i,h,s] = scale * (q[i,h,:] . cache[row(s),h/(Q/G),:]) for s <= past + i; out[i,h,:] =
//           sum_s softmax_s(score[i,h])[s] * cache[row(s),G + h/(Q/G),:]; i and s counted within a sequence, whose own
//           tokens are in the cache already; scale > 0
// Shapes    q, out [T,Q,D], cache [pages, pageTokens, 2*G, D] bf16 or e4m3 with scale 1, keys of all heads before their
//           values, starts [B+1], past [B], pageTable [B, tablePages] int32, partial [P,D], logSum [P] float32; D 128
//           or 256; Q a multiple of G; any T, B, past; pageTokens a multiple of 8
// Layout    steps in elements between tokens and heads as named, elements of a head side by side; steps of q are
//           multiples of 8, those of out of 2, pointers of 16 bytes; tables are contiguous. cache: a map
//           [pages*pageTokens, 2*G*D], boxes of `piece` rows, piece the greatest common divisor of pageTokens and 64;
//           bf16: 64 columns in the 128-byte swizzle, e4m3: D columns as they lie
// Roofline  flops = 4*Q*D*pairs with pairs = sum_b(n*past + n*(n+1)/2), bytes = 4*T*Q*D + sum_b(past+n)*2*G*D*(size of
//           a cache element): bandwidth-bound
// Launch    grid (ceil(longest*(Q/G)/64)*G, ceil(keys/chunk), B), longest = most new tokens and keys = most tokens of a
//           sequence; block (256), e4m3 (384); dynamic shared memory at D 128: 214232 B, e4m3 214208 B, at D 256:
//           230520 B, e4m3 230496 B (attribute to be raised). A block: 64 rows (query and head of a group) of one
//           sequence and key/value head, chunk keys. Warpgroup 0 multiplies; a warp copies ahead, for e4m3 two
//           warpgroups widen keys and values. chunk, partial and what follows as in mla_decode_attention.cu, blocks(c)
//           = sum_b G * ceil(n*(Q/G)/64) * ceil((past+n)/c)
// Numerics  probabilities rounded to bf16 (e4m3: f16), scores and sums in float32: |err| <= 2^-8*|y| +
//           (2^-8 + S*2^-24)*sum(p*|v|); the same bits each time
// Source    Ainslie et al. 2023, §2.2; Dao et al. 2022, algorithm 1; partial results: Dao et al. 2023
#include "common/cache_tile.cuh"
#include "common/queries.cuh"
#include "common/ring.cuh"
#include "common/softmax.cuh"
#include "common/split.cuh"
#include "common/tensor_copy.cuh"

constexpr int TILE = QUERY_ROWS; // rows of a block, keys of a tile
constexpr int BOX = QUERY_BOX_BYTES;
constexpr int WARPGROUP = 128;
constexpr int QUERIES = 1; // named barrier of the warpgroup that multiplies
constexpr int WIDENS = 2;  // and WIDENS+1: of those that widen e4m3
constexpr float LOG2E = 1.4426950408889634f;

// Keys, then values of a tile go through a ring of PLACES. A bf16 cache is multiplied as it is; e4m3 codes come through
// a ring of their own and become f16, which holds them exactly, and queries f16 with a power of two for each row.
template <class C, int D>
struct Format;

template <int D>
struct Format<bf16, D> {
    using Operand = bf16;
    static constexpr int PLACES = D == 128 ? 12 : 6, CODES = 0, LIFT = 0, THREADS = 2 * WARPGROUP;
};

template <int D>
struct Format<e4m3, D> {
    using Operand = __half;
    static constexpr int PLACES = D == 128 ? 6 : 4, CODES = D == 128 ? 12 : 4, THREADS = 3 * WARPGROUP;
    static constexpr int LIFT = 7; // keeps small probabilities within f16
};

template <class C, int D>
struct Shared {
    using F = Format<C, D>;
    static constexpr int BOXES = D / BOX_COLUMNS;
    unsigned char queries[BOXES][BOX];
    unsigned char places[F::PLACES][BOXES][BOX];
    unsigned char codes[F::CODES > 0 ? F::CODES : 1][F::CODES > 0 ? TILE * D : 16];
    Barrier full[F::PLACES], empty[F::PLACES], codesFull[F::CODES > 0 ? F::CODES : 1];
};

static_assert(sizeof(Shared<bf16, 128>) + 1024 == 214232 && sizeof(Shared<e4m3, 128>) + 1024 == 214208 &&
                  sizeof(Shared<bf16, 256>) + 1024 == 230520 && sizeof(Shared<e4m3, 256>) + 1024 == 230496,
              "as the header says");

struct Work : Task {
    int sequence, kvHead;
};

// Rows of a tile's values from `first` on become zeros: what a page holds past the sequence's end may not be numbers.
template <int BOXES>
static __device__ __forceinline__ void clearValues(uint32_t boxes, int first) {
    for (int r = first + threadIdx.x / 8; r < TILE; r += WARPGROUP / 8) {
#pragma unroll
        for (int b = 0; b < BOXES; b++) {
            storeChunk(boxes + b * BOX + r * BOX_ROW_BYTES + threadIdx.x % 8 * 16, make_uint4(0, 0, 0, 0));
        }
    }
}

// Issues s = q * keys^T.
template <class E, int BOXES>
static __device__ __forceinline__ void issueScores(float (&s)[32], uint32_t queries, uint32_t keys) {
    const Boxes q = Boxes::rows(queries), k = Boxes::rows(keys);
    openProducts();
#pragma unroll
    for (int step = 0; step < 4 * BOXES; step++) {
        const uint32_t at = step / 4 * BOX + step % 4 * 32;
        multiplyN64<E>(s, q.at(at), k.at(at), step > 0);
    }
    closeProducts();
}

template <class C, int D>
static __device__ __forceinline__ void attend(Shared<C, D>& shared, const Work& work, const QueryRows& rows,
                                              float scaleLog2, bf16* out, int64_t outToken, int64_t outHead,
                                              float* partial, float* logSum, int heads) {
    using E = typename Format<C, D>::Operand;
    constexpr int BOXES = D / BOX_COLUMNS;
    const int row = threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4;
    const uint32_t queries = sharedAddress(shared.queries);
    rows.copy(queries, 0, BOXES);
    closeCopyGroup();
    awaitCopyGroups<0>();
    syncNamed(QUERIES, WARPGROUP);
    float scale[2] = {scaleLog2, scaleLog2};
    if constexpr (IS_HALF<E>) {
        queriesToHalf(BOXES, [&](int b) { return queries + b * BOX; }, scale, row);
    }
    showToTensorCores();
    syncNamed(QUERIES, WARPGROUP);
    const int visible[2] = {min(work.visible(work.row + row), work.to), min(work.visible(work.row + row + 8), work.to)};
    OnlineSoftmax<Format<C, D>::LIFT> softmax;
    Turn<Format<C, D>::PLACES> turn;
    float s[32], o[D / 2], factor[2];
#pragma unroll
    for (int i = 0; i < D / 2; i++) {
        o[i] = 0;
    }
    for (int at = work.from; at < work.to; at += TILE) {
        shared.full[turn.place].wait(turn.parity);
        issueScores<E, BOXES>(s, queries, sharedAddress(shared.places[turn.place]));
        awaitProducts<0>();
        arriveWarp(shared.empty[turn.place]);
        turn.advance(1);
        if (at + TILE > work.open) {
            hideKeys(s, {visible[0] - at, visible[1] - at});
        }
        softmax.advance(s, scale, factor);
        uint32_t p[4][4];
#pragma unroll
        for (int i = 0; i < 16; i++) {
            p[i / 4][i % 4] = pack<E>(s[2 * i], s[2 * i + 1]);
        }
        if (__any_sync(0xFFFFFFFFu, factor[0] != 1 || factor[1] != 1)) {
#pragma unroll
            for (int i = 0; i < D / 2; i++) {
                o[i] *= factor[i / 2 % 2];
            }
        }
        shared.full[turn.place].wait(turn.parity);
        const uint32_t values = sharedAddress(shared.places[turn.place]);
        if (!IS_HALF<E> && at + TILE > work.to) {
            clearValues<BOXES>(values, work.to - at);
            showToTensorCores();
            syncNamed(QUERIES, WARPGROUP);
        }
        const Boxes v = Boxes::columns(values, BOX);
        openProducts();
#pragma unroll
        for (int k = 0; k < 4; k++) {
            multiplyRows<E>(o, p[k], v.at(k * 16 * BOX_ROW_BYTES));
        }
        closeProducts();
        awaitProducts<0>();
        arriveWarp(shared.empty[turn.place]);
        turn.advance(1);
    }
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const float sum = softmax.sum(half);
        const float inverse = sum == 0 ? 0 : 1 / sum; // a part may hide all its keys from a row
        const int r = work.row + row + 8 * half;
        if (r < work.rows) {
            const int query = r / work.heads, head = work.kvHead * work.heads + r % work.heads;
            const int64_t partialRow = static_cast<int64_t>(query) * heads + head;
            bf16* to = out + (work.start + query) * outToken + head * outHead + threadIdx.x % 4 * 2;
            float* toPartial = partial + partialRow * D + threadIdx.x % 4 * 2;
#pragma unroll
            for (int j = 0; j < D / 8; j++) {
                const float low = o[4 * j + 2 * half] * inverse, high = o[4 * j + 2 * half + 1] * inverse;
                if (partial == nullptr) {
                    *reinterpret_cast<uint32_t*>(to + 8 * j) = packBf16(low, high);
                } else {
                    *reinterpret_cast<float2*>(toPartial + 8 * j) = make_float2(low, high);
                }
            }
            if (partial != nullptr && threadIdx.x % 4 == 0) {
                logSum[partialRow] = softmax.logSum(half, sum);
            }
        }
    }
}

// Keys and values from a bf16 cache, by one warp.
template <int D>
static __device__ __forceinline__ void load(
    Shared<bf16, D>& shared, const Work& work, const CUtensorMap& cache, const Paged& paged, int piece, int kvHeads) {
    constexpr int BOXES = D / BOX_COLUMNS;
    const int lane = threadIdx.x % 32;
    const uint64_t policy = cachePolicy(Keep::SHORT);
    CachePieces pieces;
    Turn<Format<bf16, D>::PLACES> turn;
    for (int at = work.from; at < work.to; at += TILE) {
        const int present = (min(TILE, work.to - at) + piece - 1) / piece * piece;
        int rows = 0; // of piece `lane`
        for (int r = 0; r < present; r += piece) {
            const int row = pieces.row(paged, work.sequence, piece, at + r, work.to);
            rows = lane == r / piece ? row : rows;
        }
        for (int part = 0; part < 2; part++) {
            Barrier& full = shared.full[turn.place];
            shared.empty[turn.place].wait(turn.parity ^ 1);
            if (lane == 0) {
                full.arriveExpecting(present * D * sizeof(bf16));
            }
            __syncwarp();
            for (int r = 0; r < present; r += piece) {
                const int row = __shfl_sync(0xFFFFFFFFu, rows, r / piece);
                if (lane < BOXES) {
                    copyBox(sharedAddress(shared.places[turn.place][lane]) + r * BOX_ROW_BYTES, cache, full,
                            (part * kvHeads + work.kvHead) * D + lane * BOX_COLUMNS, row, policy);
                }
            }
            turn.advance(1);
        }
    }
}

// Keys (part 0) or values (part 1) from an e4m3 cache, by a warpgroup: its first warp copies codes ahead, all widen
// them.
template <int D>
static __device__ __forceinline__ void widen(Shared<e4m3, D>& shared, const Work& work, const CUtensorMap& cache,
                                             const Paged& paged, int piece, int kvHeads, int part) {
    using F = Format<e4m3, D>;
    constexpr int AHEAD = F::CODES / 2;
    constexpr int LANES = D / 16; // to a row
    const int lane = threadIdx.x % 32;
    const int thread = threadIdx.x % WARPGROUP;
    const uint64_t policy = cachePolicy(Keep::SHORT);
    CachePieces pieces;
    auto fetch = [&](int place, int key) { // by the first warp
        const int present = (min(TILE, max(0, work.to - key)) + piece - 1) / piece * piece;
        Barrier& full = shared.codesFull[place];
        if (lane == 0) {
            full.arriveExpecting(present * D);
        }
        __syncwarp();
        for (int r = 0; r < present; r += piece) {
            const int row = pieces.row(paged, work.sequence, piece, key + r, work.to);
            if (lane == 0) {
                copyBox(sharedAddress(shared.codes[place]) + r * D, cache, full, (part * kvHeads + work.kvHead) * D,
                        row, policy);
            }
        }
    };
    if (thread < 32) {
        for (int i = 0; i < AHEAD; i++) {
            fetch(part * AHEAD + i, work.from + i * TILE);
        }
    }
    const int column = thread % LANES; // of 16 codes
    const bool upper = column / 4 % 2; // boxes of these lanes meet in the same banks: they store in another order
    Turn<AHEAD> used;
    Turn<F::PLACES / 2> turn;
    for (int at = work.from; at < work.to; at += TILE) {
        const int codes = part * AHEAD + used.place;
        const int place = 2 * turn.place + part;
        shared.codesFull[codes].wait(used.parity);
        shared.empty[place].wait(turn.parity ^ 1);
        const uint32_t from = sharedAddress(shared.codes[codes]) + thread * 16;
        const uint32_t to = sharedAddress(shared.places[place][column / 4]);
#pragma unroll 4
        for (int r = thread / LANES; r < TILE; r += WARPGROUP / LANES) {
            uint4 halves[2];
            const uint4 chunk = loadChunk(from + (r - thread / LANES) * D);
            widenToHalf(at + r < work.to ? chunk : make_uint4(0, 0, 0, 0), halves);
            const uint32_t target = to + swizzledChunk(r, 2 * (column % 4));
            storeChunk(upper ? target ^ 16 : target, upper ? halves[1] : halves[0]);
            storeChunk(upper ? target : target ^ 16, upper ? halves[0] : halves[1]);
        }
        showToTensorCores();
        syncNamed(WIDENS + part, WARPGROUP); // all is written, and these codes are read
        if (thread == 0) {
            shared.full[place].arrive();
        }
        if (thread < 32) {
            fetch(codes, at + AHEAD * TILE);
        }
        used.advance(1);
        turn.advance(1);
    }
}

template <class C, int D>
static __device__ __forceinline__ void decode(bf16* out, float* partial, float* logSum, const bf16* q,
                                              const CUtensorMap& cache, const Paged& paged, int heads, int kvHeads,
                                              int chunk, int piece, int64_t qToken, int64_t qHead, int64_t outToken,
                                              int64_t outHead, float scale) {
    using F = Format<C, D>;
    extern __shared__ unsigned char memory[];
    auto& shared = *reinterpret_cast<Shared<C, D>*>(memory + (1024 - sharedAddress(memory) % 1024) % 1024);
    const Split split{paged.starts, paged.past, heads, chunk};
    Work work;
    work.sequence = blockIdx.z;
    work.kvHead = blockIdx.x % kvHeads;
    work.start = paged.starts[work.sequence];
    work.heads = heads / kvHeads;
    work.row = blockIdx.x / kvHeads * TILE;
    work.rows = split.queries(work.sequence) * work.heads;
    work.past = paged.past[work.sequence];
    work.from = blockIdx.y * chunk;
    work.to = min(work.from + chunk, split.keys(work.sequence));
    work.open = min(work.visible(work.row), work.to);
    if (work.row >= work.rows || work.from >= work.to) {
        return;
    }
    if (split.parts(work.sequence) == 1) {
        partial = nullptr;
    } else {
        const int64_t first = split.firstPartial(work.sequence) +
                              static_cast<int64_t>(blockIdx.y) * split.queries(work.sequence) * heads;
        partial += first * D;
        logSum += first;
    }
    if (threadIdx.x == 0) {
        for (int i = 0; i < F::PLACES; i++) {
            shared.full[i].init(1);
            shared.empty[i].init(WARPGROUP / 32);
        }
        for (int i = 0; i < F::CODES; i++) {
            shared.codesFull[i].init(1);
        }
        fenceBarrierInit();
    }
    __syncthreads();
    if (threadIdx.x < WARPGROUP) {
        if constexpr (F::CODES > 0) {
            claimRegisters<240>();
        }
        const QueryRows rows{q + work.start * qToken + work.kvHead * work.heads * qHead, qToken, qHead, work.heads,
                             work.row, work.rows};
        attend<C, D>(shared, work, rows, scale * LOG2E, out, outToken, outHead, partial, logSum, heads);
    } else if constexpr (F::CODES > 0) {
        giveUpRegisters<128>();
        widen<D>(shared, work, cache, paged, piece, kvHeads, threadIdx.x / WARPGROUP - 1);
    } else if (threadIdx.x < WARPGROUP + 32) {
        load<D>(shared, work, cache, paged, piece, kvHeads);
    }
}

#define GQA_DECODE_ATTENTION(NAME, C, D)                                                                               \
    extern "C" __global__ __launch_bounds__(Format<C, D>::THREADS, 1) void NAME(                                       \
        const __grid_constant__ CUtensorMap cache, bf16* out, float* partial, float* logSum, const bf16* q,            \
        const int* starts, const int* past, const int* pageTable, int B, int tablePages, int pageTokens, int Q, int G, \
        int chunk, int piece, int64_t qToken, int64_t qHead, int64_t outToken, int64_t outHead, float scale) {         \
        decode<C, D>(out, partial, logSum, q, cache, Paged{starts, past, pageTable, B, tablePages, pageTokens}, Q, G,  \
                     chunk, piece, qToken, qHead, outToken, outHead, scale);                                           \
    }

GQA_DECODE_ATTENTION(gqa_decode_attention_d128_bf16, bf16, 128)
GQA_DECODE_ATTENTION(gqa_decode_attention_d128_e4m3, e4m3, 128)
GQA_DECODE_ATTENTION(gqa_decode_attention_d256_bf16, bf16, 256)
GQA_DECODE_ATTENTION(gqa_decode_attention_d256_e4m3, e4m3, 256)
