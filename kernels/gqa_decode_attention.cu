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
// Launch    grid (ceil(longest*(Q/G)/64)*G, B, max(1, ceil(keys/chunk) - lead + 1)), longest = most new tokens and keys
//           = most tokens of a sequence; dynamic shared memory (attribute to be raised): at D 128 bf16 block (160), two
//           on a multiprocessor, 99440 B, e4m3 block (512), 214464 B; at D 256 block (384), bf16 230528 B, e4m3 230752
//           B. A block: 64 rows (query and head of a group) of one sequence and key/value head, a part of its keys: the
//           first has lead*chunk, others chunk. One warpgroup multiplies at D 128 bf16, else two that take tiles in
//           turn and add up what they have at the end; bf16: a warp copies ahead for each; e4m3: one warpgroup, at D
//           128 two, copies ahead and widens keys and values. chunk = the c = 64*k that makes 40 *
//           ceil(blocks(c)/slots) * (k + 5) + ceil(keys/c) least, with blocks(c) = sum_b G * ceil(n*(Q/G)/64) *
//           ceil((past+n)/c) and slots = 132, or 264 where two blocks share a multiprocessor, the smallest of equal
//           ones; lead = 1. Where that divides no sequence, of bf16 and at most 32 rows, gives a slot 64 tiles or more,
//           and memory more than 4 TB/s: chunk = 64 * ceil(keys/768), lead = 10. First parts start first, short ones
//           fill up what they leave: multiprocessors of an H200 else finish a tenth apart, and the last ones cannot
//           draw all that memory gives. Any multiple of 64 and any lead >= 1 are right. A sequence of n new tokens has
//           parts = ceil((past+n)/chunk) - lead + 1, one if that is less; partial and what follows as in
//           mla_decode_attention.cu
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
constexpr int QUERIES = 1; // named barrier of those that multiply
constexpr int WIDENS = 2;  // and WIDENS+1: of those that widen e4m3
constexpr int OWN = 4;     // and OWN+1: of each warpgroup that multiplies
constexpr float LOG2E = 1.4426950408889634f;

// MULTIPLY warpgroups take tiles in turn; keys, then values of a tile go through a ring of PLACES that each has for
// itself. A bf16 cache is multiplied as it is, by two warpgroups on a multiprocessor, of one block or of two, since
// memory would wait for one's copies, products and softmax; e4m3 codes come through a ring of their own and become f16,
// which holds them exactly, and queries f16 with a power of two for each row. CLAIM and KEEP: registers of a thread
// that multiplies and of the others; 0 where all have the same.
template <class C, int D>
struct Format;

template <int D>
struct Format<bf16, D> {
    using Operand = bf16;
    static constexpr int MULTIPLY = D == 128 ? 1 : 2, PLACES = D == 128 ? 5 : 3, CODES = 0, LIFT = 0;
    static constexpr int THREADS = D == 128 ? WARPGROUP + 32 : 3 * WARPGROUP, BLOCKS = D == 128 ? 2 : 1;
    static constexpr int CLAIM = D == 128 ? 0 : 216, KEEP = 72;
};

template <int D>
struct Format<e4m3, D> {
    using Operand = __half;
    static constexpr int MULTIPLY = 2, PLACES = D == 128 ? 4 : 2, CODES = D == 128 ? 8 : 4;
    static constexpr int WIDEN = D == 128 ? 2 : 1; // warpgroups
    static constexpr int THREADS = (MULTIPLY + WIDEN) * WARPGROUP, BLOCKS = 1;
    static constexpr int CLAIM = D == 128 ? 168 : 216, KEEP = D == 128 ? 88 : 72;
    static constexpr int LIFT = 7; // keeps small probabilities within f16
};

template <class C, int D>
struct Shared {
    using F = Format<C, D>;
    static constexpr int BOXES = D / BOX_COLUMNS;
    unsigned char queries[BOXES][BOX];
    unsigned char places[F::MULTIPLY][F::PLACES][BOXES][BOX];
    unsigned char codes[F::CODES > 0 ? F::CODES : 1][F::CODES > 0 ? TILE * D : 16];
    float scales[F::CODES > 0 ? TILE : 2]; // of rows of queries that became f16
    Barrier full[F::MULTIPLY][F::PLACES], empty[F::MULTIPLY][F::PLACES], codesFull[F::CODES > 0 ? F::CODES : 1];
};

static_assert(sizeof(Shared<bf16, 128>) + 1024 == 99440 && sizeof(Shared<e4m3, 128>) + 1024 == 214464 &&
                  sizeof(Shared<bf16, 256>) + 1024 == 230528 && sizeof(Shared<e4m3, 256>) + 1024 == 230752,
              "as the header says");

struct Work : Task {
    int sequence, kvHead;
};

// Rows of a sequence's pieces in the cache, for one warp: 32 at a time, asked for 32 pieces before they are needed.
struct PieceRows {
    const int* pages; // of the sequence
    int tablePages, pageTokens, piece;
    int first;      // piece whose row is lane 0's
    int held, next; // rows of the pieces first + lane and first + 32 + lane

    // What the table has beyond the sequence's end is read, but nobody asks for it.
    __device__ __forceinline__ int lookUp(int number) const {
        const int position = number * piece;
        const int page = position / pageTokens;
        return page < tablePages ? pages[page] * pageTokens + position % pageTokens : 0;
    }

    __device__ __forceinline__ void start(int number) {
        const int lane = threadIdx.x % 32;
        first = number;
        held = lookUp(number + lane);
        next = lookUp(number + 32 + lane);
    }

    // The rows of the tile that starts with piece `number` come to hand. A tile has 1, 2, 4 or 8 pieces, and at most
    // one tile is left out between two that are asked for.
    __device__ __forceinline__ void advance(int number) {
        if (number - first >= 32) {
            first += 32;
            held = next;
            next = lookUp(first + 32 + threadIdx.x % 32);
        }
    }

    __device__ __forceinline__ int row(int number) const { return __shfl_sync(0xFFFFFFFFu, held, number - first); }
};

// True in one lane of a whole warp. The compiler knows that, and makes no loop over lanes of what copies ask for.
static __device__ __forceinline__ bool elected() {
    uint32_t chosen;
    asm volatile("{\n.reg .pred chosen;\nelect.sync _|chosen, 0xFFFFFFFF;\nselp.u32 %0, 1, 0, chosen;\n}"
                 : "=r"(chosen));
    return chosen != 0;
}

// Brings what a map says near, so that the first copy need not wait for it.
static __device__ __forceinline__ void fetchMap(const CUtensorMap& map) {
    asm volatile("prefetch.tensormap [%0];" ::"l"(&map) : "memory");
}

// Rows of a tile's values from `first` on become zeros: what a page holds past the sequence's end may not be numbers.
template <int BOXES>
static __device__ __forceinline__ void clearValues(uint32_t boxes, int first) {
    for (int r = first + threadIdx.x % WARPGROUP / 8; r < TILE; r += WARPGROUP / 8) {
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

// Adds to warpgroup 0's sums what warpgroup 1 has, through memory that the tiles no longer need.
template <int LIFT, int N>
static __device__ __forceinline__ void merge(float* memory, OnlineSoftmax<LIFT>& softmax, float (&o)[N]) {
    const bool gives = threadIdx.x >= WARPGROUP;
    float* own = memory + threadIdx.x % WARPGROUP;
    syncNamed(QUERIES, 2 * WARPGROUP); // neither reads tiles any more
    if (gives) {
#pragma unroll
        for (int i = 0; i < N; i++) {
            own[i * WARPGROUP] = o[i];
        }
#pragma unroll
        for (int half = 0; half < 2; half++) {
            own[(N + half) * WARPGROUP] = softmax.reference[half];
            own[(N + 2 + half) * WARPGROUP] = softmax.total[half];
        }
    }
    syncNamed(QUERIES, 2 * WARPGROUP);
    if (gives) {
        return;
    }
    float mine[2], others[2];
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const float reference = own[(N + half) * WARPGROUP];
        const float top = fmaxf(softmax.reference[half], reference);
        mine[half] = softmax.reference[half] == top ? 1 : fastExp2(softmax.reference[half] - top);
        others[half] = reference == top ? 1 : fastExp2(reference - top);
        softmax.reference[half] = top;
        softmax.total[half] = softmax.total[half] * mine[half] + own[(N + 2 + half) * WARPGROUP] * others[half];
    }
#pragma unroll
    for (int i = 0; i < N; i++) {
        o[i] = o[i] * mine[i / 2 % 2] + own[i * WARPGROUP] * others[i / 2 % 2];
    }
}

template <class C, int D>
static __device__ __forceinline__ void attend(Shared<C, D>& shared, const Work& work, const Split& split,
                                              const QueryRows& rows, float scaleLog2, bf16* out, int64_t outToken,
                                              int64_t outHead, float* partial, float* logSum) {
    using E = typename Format<C, D>::Operand;
    constexpr int BOXES = D / BOX_COLUMNS, MULTIPLY = Format<C, D>::MULTIPLY, PLACES = Format<C, D>::PLACES;
    const int group = MULTIPLY == 1 ? 0 : threadIdx.x / WARPGROUP; // of those that multiply
    const int row = threadIdx.x % WARPGROUP / 32 * 16 + threadIdx.x % 32 / 4;
    const uint32_t queries = sharedAddress(shared.queries);
    const int firstBox = group * BOXES / MULTIPLY;
    rows.copy(queries + firstBox * BOX, firstBox, firstBox + BOXES / MULTIPLY);
    closeCopyGroup();
    const bool whole = split.parts(work.sequence) <= 1;
    int64_t firstPartial = 0; // of this part
    if (!whole) {
        firstPartial = split.firstPartialOfWarp(work.sequence) +
                       static_cast<int64_t>(blockIdx.z) * split.queries(work.sequence) * split.heads;
    }
    awaitCopyGroups<0>();
    syncNamed(QUERIES, MULTIPLY * WARPGROUP);
    float scale[2] = {scaleLog2, scaleLog2};
    if constexpr (IS_HALF<E>) {
        if (group == 0) {
            queriesToHalf(BOXES, [&](int b) { return queries + b * BOX; }, scale, row);
            if (threadIdx.x % 4 == 0) {
                shared.scales[row] = scale[0];
                shared.scales[row + 8] = scale[1];
            }
        }
    }
    showToTensorCores();
    syncNamed(QUERIES, MULTIPLY * WARPGROUP);
    if constexpr (IS_HALF<E>) {
        scale[0] = shared.scales[row];
        scale[1] = shared.scales[row + 8];
    }
    const int visible[2] = {min(work.visible(work.row + row), work.to), min(work.visible(work.row + row + 8), work.to)};
    OnlineSoftmax<Format<C, D>::LIFT> softmax;
    Barrier* full = shared.full[group];
    Barrier* empty = shared.empty[group];
    const uint32_t places = sharedAddress(shared.places[group]);
    Turn<PLACES> turn;
    float s[32], o[D / 2], factor[2];
#pragma unroll
    for (int i = 0; i < D / 2; i++) {
        o[i] = 0;
    }
    for (int at = work.from + group * TILE; at < work.to; at += MULTIPLY * TILE) {
        full[turn.place].wait(turn.parity);
        issueScores<E, BOXES>(s, queries, places + turn.place * BOXES * BOX);
        awaitProducts<0>();
        arriveWarp(empty[turn.place]);
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
        full[turn.place].wait(turn.parity);
        const uint32_t values = places + turn.place * BOXES * BOX;
        if (!IS_HALF<E> && at + TILE > work.to) {
            clearValues<BOXES>(values, work.to - at);
            showToTensorCores();
            syncNamed(OWN + group, WARPGROUP);
        }
        const Boxes v = Boxes::columns(values, BOX);
        openProducts();
#pragma unroll
        for (int k = 0; k < 4; k++) {
            multiplyRows<E>(o, p[k], v.at(k * 16 * BOX_ROW_BYTES));
        }
        closeProducts();
        awaitProducts<0>();
        arriveWarp(empty[turn.place]);
        turn.advance(1);
    }
    if constexpr (MULTIPLY == 2) {
        static_assert((D / 2 + 4) * WARPGROUP * sizeof(float) <= sizeof(shared.places), "room for what is merged");
        merge(reinterpret_cast<float*>(shared.places), softmax, o);
        if (group > 0) {
            return;
        }
    }
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const float sum = softmax.sum(half);
        const float inverse = sum == 0 ? 0 : 1 / sum; // a part may hide all its keys from a row
        const int r = work.row + row + 8 * half;
        if (r < work.rows) {
            const int query = r / work.heads, head = work.kvHead * work.heads + r % work.heads;
            const int64_t partialRow = firstPartial + static_cast<int64_t>(query) * split.heads + head;
            bf16* to = out + (work.start + query) * outToken + head * outHead + threadIdx.x % 4 * 2;
            float* toPartial = partial + partialRow * D + threadIdx.x % 4 * 2;
#pragma unroll
            for (int j = 0; j < D / 8; j++) {
                const float low = o[4 * j + 2 * half] * inverse, high = o[4 * j + 2 * half + 1] * inverse;
                if (whole) {
                    *reinterpret_cast<uint32_t*>(to + 8 * j) = packBf16(low, high);
                } else {
                    *reinterpret_cast<float2*>(toPartial + 8 * j) = make_float2(low, high);
                }
            }
            if (!whole && threadIdx.x % 4 == 0) {
                logSum[partialRow] = softmax.logSum(half, sum);
            }
        }
    }
}

// Keys and values from a bf16 cache for a warpgroup, by one warp.
template <int D>
static __device__ __forceinline__ void load(
    Shared<bf16, D>& shared, const Work& work, const CUtensorMap& cache, PieceRows& rows, int kvHeads, int group) {
    using F = Format<bf16, D>;
    constexpr int BOXES = D / BOX_COLUMNS;
    const bool asks = elected();
    const uint64_t policy = cachePolicy(Keep::SHORT);
    const int piece = rows.piece, most = TILE / piece;
    int number = rows.first + group * most;
    Turn<F::PLACES> turn;
    for (int at = work.from + group * TILE; at < work.to; at += F::MULTIPLY * TILE) {
        const int left = work.to - at;
        const int pieces = left >= TILE ? most : (left + piece - 1) / piece;
        rows.advance(number);
        for (int part = 0; part < 2; part++) {
            Barrier& full = shared.full[group][turn.place];
            const uint32_t boxes = sharedAddress(shared.places[group][turn.place]);
            const int column = (part * kvHeads + work.kvHead) * D;
            shared.empty[group][turn.place].wait(turn.parity ^ 1);
            if (asks) {
                full.arriveExpecting(pieces * piece * D * static_cast<int>(sizeof(bf16)));
            }
            for (int r = 0; r < pieces; r++) {
                const int row = rows.row(number + r);
                if (asks) {
#pragma unroll
                    for (int b = 0; b < BOXES; b++) {
                        copyBox(boxes + b * BOX + r * piece * BOX_ROW_BYTES, cache, full, column + b * BOX_COLUMNS, row,
                                policy);
                    }
                }
            }
            turn.advance(1);
        }
        number += F::MULTIPLY * most;
    }
}

// Keys and values from an e4m3 cache by warpgroup `worker` of WIDEN: keys (0) or values (1), or both in turn if it is
// alone. Its first warp copies codes ahead, all widen them.
template <int D>
static __device__ __forceinline__ void widen(Shared<e4m3, D>& shared, const Work& work, const CUtensorMap& cache,
                                             const Paged& paged, int piece, int kvHeads, int worker) {
    using F = Format<e4m3, D>;
    constexpr int AHEAD = F::CODES / F::WIDEN;
    constexpr int PARTS = 2 / F::WIDEN; // of a tile, that this warpgroup widens
    constexpr int LANES = D / 16;       // to a row
    const int lane = threadIdx.x % 32;
    const int thread = threadIdx.x % WARPGROUP;
    const uint64_t policy = cachePolicy(Keep::SHORT);
    CachePieces pieces;
    auto fetch = [&](int place, int unit) { // by the first warp; unit: how many parts of tiles come before
        const int part = F::WIDEN == 1 ? unit % 2 : worker;
        const int key = work.from + unit / PARTS * TILE;
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
            fetch(worker * AHEAD + i, i);
        }
    }
    const int column = thread % LANES; // of 16 codes
    const bool upper = column / 4 % 2; // boxes of these lanes meet in the same banks: they store in another order
    Turn<AHEAD> used;
    Turn<F::PLACES / 2> turn; // of the rings of all that multiply
    int unit = 0, group = 0;
    for (int at = work.from; at < work.to; at += TILE) {
        for (int i = 0; i < PARTS; i++) {
            const int codes = worker * AHEAD + used.place;
            const int place = 2 * turn.place + (F::WIDEN == 1 ? i : worker);
            shared.codesFull[codes].wait(used.parity);
            shared.empty[group][place].wait(turn.parity ^ 1);
            const uint32_t from = sharedAddress(shared.codes[codes]) + thread * 16;
            const uint32_t to = sharedAddress(shared.places[group][place][column / 4]);
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
            syncNamed(WIDENS + worker, WARPGROUP); // all is written, and these codes are read
            if (thread == 0) {
                shared.full[group][place].arrive();
            }
            if (thread < 32) {
                fetch(codes, unit + AHEAD);
            }
            used.advance(1);
            unit++;
        }
        group++;
        if (group == F::MULTIPLY) {
            group = 0;
            turn.advance(1);
        }
    }
}

template <class C, int D>
static __device__ __forceinline__ void decode(bf16* out, float* partial, float* logSum, const bf16* q,
                                              const CUtensorMap& cache, const Paged& paged, int heads, int kvHeads,
                                              int chunk, int lead, int piece, int64_t qToken, int64_t qHead,
                                              int64_t outToken, int64_t outHead, float scale) {
    using F = Format<C, D>;
    extern __shared__ unsigned char memory[];
    auto& shared = *reinterpret_cast<Shared<C, D>*>(memory + (1024 - sharedAddress(memory) % 1024) % 1024);
    const Split split{paged.starts, paged.past, heads, chunk, lead};
    Work work;
    work.sequence = blockIdx.y;
    work.kvHead = blockIdx.x % kvHeads;
    const int end = (blockIdx.z + lead) * chunk; // of the part
    work.from = blockIdx.z == 0 ? 0 : end - chunk;
    const int loader = threadIdx.x / 32 - F::MULTIPLY * WARPGROUP / 32; // warp behind those that multiply
    const bool loads = F::CODES == 0 && 0 <= loader && loader < F::MULTIPLY;
    PieceRows pieces{paged.pages + static_cast<int64_t>(work.sequence) * paged.tablePages, paged.tablePages,
                     paged.pageTokens, piece};
    if (threadIdx.x == 0) {
        fetchMap(cache);
    }
    if (loads) {
        pieces.start(work.from / piece); // the table is on its way while lengths are
    }
    work.start = paged.starts[work.sequence];
    work.heads = heads / kvHeads;
    work.row = blockIdx.x / kvHeads * TILE;
    work.rows = split.queries(work.sequence) * work.heads;
    work.past = paged.past[work.sequence];
    work.to = min(end, split.keys(work.sequence));
    work.open = min(work.visible(work.row), work.to);
    if (work.row >= work.rows || work.from >= work.to) {
        return;
    }
    if (threadIdx.x == 0) {
        for (int i = 0; i < F::MULTIPLY * F::PLACES; i++) {
            shared.full[0][i].init(1);
            shared.empty[0][i].init(WARPGROUP / 32);
        }
        for (int i = 0; i < F::CODES; i++) {
            shared.codesFull[i].init(1);
        }
        fenceBarrierInit();
    }
    __syncthreads();
    if (threadIdx.x < F::MULTIPLY * WARPGROUP) {
        if constexpr (F::CLAIM > 0) {
            claimRegisters<F::CLAIM>();
        }
        const QueryRows rows{q + work.start * qToken + work.kvHead * work.heads * qHead, qToken, qHead, work.heads,
                             work.row, work.rows};
        attend<C, D>(shared, work, split, rows, scale * LOG2E, out, outToken, outHead, partial, logSum);
    } else {
        if constexpr (F::CLAIM > 0) {
            giveUpRegisters<F::KEEP>();
        }
        if constexpr (F::CODES > 0) {
            widen<D>(shared, work, cache, paged, piece, kvHeads, threadIdx.x / WARPGROUP - F::MULTIPLY);
        } else if (loads) {
            load<D>(shared, work, cache, pieces, kvHeads, loader);
        }
    }
}

#define GQA_DECODE_ATTENTION(NAME, C, D)                                                                               \
    extern "C" __global__ __launch_bounds__(Format<C, D>::THREADS, Format<C, D>::BLOCKS) void NAME(                    \
        const __grid_constant__ CUtensorMap cache, bf16* out, float* partial, float* logSum, const bf16* q,            \
        const int* starts, const int* past, const int* pageTable, int B, int tablePages, int pageTokens, int Q, int G, \
        int chunk, int lead, int piece, int64_t qToken, int64_t qHead, int64_t outToken, int64_t outHead,              \
        float scale) {                                                                                                 \
        decode<C, D>(out, partial, logSum, q, cache, Paged{starts, past, pageTable, B, tablePages, pageTokens}, Q, G,  \
                     chunk, lead, piece, qToken, qHead, outToken, outHead, scale);                                     \
    }

GQA_DECODE_ATTENTION(gqa_decode_attention_d128_bf16, bf16, 128)
GQA_DECODE_ATTENTION(gqa_decode_attention_d128_e4m3, e4m3, 128)
GQA_DECODE_ATTENTION(gqa_decode_attention_d256_bf16, bf16, 256)
GQA_DECODE_ATTENTION(gqa_decode_attention_d256_e4m3, e4m3, 256)
