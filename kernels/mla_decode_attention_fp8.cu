// mla_decode_attention_fp8: mla_decode_attention for queries and a cache of e4m3 with scale 1.
//
// Math      as in mla_decode_attention.cu
// Shapes    q [T,Q,576] e4m3, cache [pages, pageTokens, 576] e4m3, out [T,Q,512] bf16, starts [B+1], past [B],
//           pageTable [B, tablePages] int32, partial [P,512], logSum [P] float32; any T, Q, B, past; pageTokens a
//           multiple of 8
// Layout    steps in elements between tokens and heads as named, elements of a head side by side; steps of q are
//           multiples of 16, those of out of 2, pointers of 16 bytes; tables are contiguous. cache: a map of bytes
//           [pages*pageTokens, 576], boxes of 128 columns and `piece` rows in the 128-byte swizzle, piece the greatest
//           common divisor of pageTokens and 64
// Roofline  flops = 2176*Q*pairs with pairs = sum_b(n*past + n*(n+1)/2), 1152 of them at twice the rate of the others,
//           bytes = T*Q*1600 + sum_b(past+n)*576: compute-bound above about 90 rows (query and head) of a sequence
// Launch    grid, chunk, partial and what follows as in mla_decode_attention.cu; block (512); dynamic shared memory
//           231864 B (attribute to be raised). A block: 64 rows of one sequence, chunk keys, five tiles of 64.
//           Warpgroup 0 makes scores from codes as they are, of which it holds eight ninths of the queries' in registers.
//           Warpgroups 1 and 2 make half of the output each, transposed: codes of the values become f16 in
//           registers on their way to the tensor cores, where they are the rows of the product. A warp of warpgroup 3
//           asks for copies
// Numerics  probabilities rounded to f16, their sums in float32. Scores are sums of E4M3 products, of which the tensor
//           cores keep 13 bits beside the largest: with scores of standard deviation 3 they err by about 2^-6, and
//           |err| <= 2^-8*|y| + 2^-5*sum(p*|v|); the same bits each time
// Source    as in mla_decode_attention.cu; partial sums of FP8 products: DeepSeek-AI 2024 (DeepSeek-V3), §3.3.2
#include "common/cache_tile.cuh"
#include "common/queries.cuh"
#include "common/ring.cuh"
#include "common/softmax.cuh"
#include "common/split.cuh"
#include "common/tensor_copy.cuh"

constexpr int TILE = QUERY_ROWS; // rows of a block, keys of a tile
constexpr int WIDTH = 576;       // of a row of the cache
constexpr int VALUES = 512;
constexpr int WARPGROUP = 128;
constexpr int BOX = QUERY_BOX_BYTES; // 128 columns of codes; the last box of a row is half empty
constexpr int BOX_CODES = 128;
constexpr int BOXES = (WIDTH + BOX_CODES - 1) / BOX_CODES;
constexpr int STEPS = WIDTH / 32; // of a product along a row
constexpr int HELD = 16;          // of them whose queries lie in registers
constexpr int HELD_BOXES = HELD / 4;
constexpr int TILES = 5; // of keys in shared memory
constexpr int SLOTS = 2; // for probabilities of a tile
constexpr int SCORES = 1; // named barrier of the warpgroup that makes scores
constexpr int LIFT = 7;   // keeps small probabilities within f16
constexpr float LOG2E = 1.4426950408889634f;

// What a block does, in shared memory: read where it is needed, it takes no registers.
struct Work : Task {
    int sequence;
    int64_t firstPartial; // row of partial results, or -1 of a sequence that has none

    __device__ __forceinline__ int tiles() const { return (to - from + TILE - 1) / TILE; }
};

struct Shared {
    unsigned char keys[TILES][BOXES][BOX];
    unsigned char queries[BOXES - HELD_BOXES][BOX];
    unsigned char probabilities[SLOTS][BOX];
    float factor[SLOTS][TILE];
    float inverse[TILE];
    float logSum[TILE];
    int visible[TILE];
    Work work;
    Barrier full[TILES], empty[TILES], ready[SLOTS], used[SLOTS], queriesTaken, finished;
};

static_assert(sizeof(Shared) + 1024 == 231864, "as the header says");

// Which rows: row r holds query r / heads of a sequence and head r % heads of those that `q` starts with.
struct QueryCodes {
    const e4m3* q; // of the sequence's first query
    int64_t token, head;
    int heads, first, rows;

    // All rows, zeros from row `rows` on, by the warpgroup, which awaits its copies afterwards. Boxes before HELD_BOXES
    // go where the last tile of keys will be.
    __device__ __forceinline__ void copy(Shared& shared) const {
        constexpr int CHUNKS = WIDTH / 16;
#pragma unroll 1
        for (int i = threadIdx.x; i < TILE * CHUNKS; i += WARPGROUP) {
            const int r = i / CHUNKS, chunk = i % CHUNKS;
            const int row = first + r;
            const int box = chunk / 8;
            const uint32_t to = box < HELD_BOXES ? sharedAddress(shared.keys[TILES - 1][box])
                                                 : sharedAddress(shared.queries[box - HELD_BOXES]);
            const e4m3* from = row < rows ? q + row / heads * token + row % heads * head + 16 * chunk : q;
            copyAsync16(to + swizzledChunk(r, chunk % 8), from, row < rows);
        }
    }
};

// Issues s = q * keys^T of a tile.
static __device__ __forceinline__ void issueScores(
    float (&s)[32], const uint32_t (&held)[HELD][4], uint32_t queriesAt, uint32_t keysAt) {
    const Boxes queries = Boxes::rows(queriesAt);
    const Boxes keys = Boxes::rows(keysAt);
    openProducts();
#pragma unroll
    for (int k = 0; k < HELD; k++) {
        multiplyCodesN64(s, held[k], keys.at(k / 4 * BOX + k % 4 * 32), k > 0);
    }
#pragma unroll
    for (int k = HELD; k < STEPS; k++) {
        const uint32_t at = k / 4 * BOX + k % 4 * 32;
        multiplyCodesN64(s, queries.at(at - HELD_BOXES * BOX), keys.at(at), true);
    }
    closeProducts();
}

// Rows of a tile's values from `first` on become zeros: what a page holds past the sequence's end may not be numbers.
static __device__ __forceinline__ void clearValues(uint32_t keys, int first) {
    for (int r = first + threadIdx.x / 32; r < TILE; r += WARPGROUP / 32) {
        const int chunk = threadIdx.x % 32;
        storeChunk(keys + chunk / 8 * BOX + r * BOX_ROW_BYTES + chunk % 8 * 16, make_uint4(0, 0, 0, 0));
    }
}

// Scores and their softmax. Leaves the rows' 1/sum and log2(sum).
static __device__ __forceinline__ void score(
    Shared& shared, const e4m3* q, int64_t qToken, int64_t qHead, float scaleLog2) {
    const Work& work = shared.work;
    const int row = threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4;
    QueryCodes{q + work.start * qToken, qToken, qHead, work.heads, work.row, work.rows}.copy(shared);
    closeCopyGroup();
    if (threadIdx.x < TILE) {
        shared.visible[threadIdx.x] = min(work.visible(work.row + threadIdx.x), work.to);
    }
    awaitCopyGroups<0>();
    showToTensorCores();
    syncNamed(SCORES, WARPGROUP);
    uint32_t held[HELD][4];
#pragma unroll
    for (int k = 0; k < HELD; k++) {
        loadRows(held[k], sharedAddress(shared.keys[TILES - 1][k / 4]), threadIdx.x / 32 * 16, k % 4);
    }
    arriveWarp(shared.queriesTaken);
    const uint32_t queries = sharedAddress(shared.queries);
    OnlineSoftmax<LIFT> softmax;
    float s[32];
    shared.full[0].wait(0);
    issueScores(s, held, queries, sharedAddress(shared.keys[0]));
    awaitProducts<0>();
    const int tiles = work.tiles();
    for (int i = 0; i < tiles; i++) {
        const int at = work.from + i * TILE;
        const float scale[2] = {scaleLog2, scaleLog2};
        float factor[2];
        if (at + TILE > work.open) {
            hideKeys(s, {shared.visible[row] - at, shared.visible[row + 8] - at});
        }
        softmax.advance(s, scale, factor);
        const int slot = i % SLOTS;
        shared.used[slot].wait(i / SLOTS % 2 ^ 1);
        const uint32_t p = sharedAddress(shared.probabilities[slot]) + threadIdx.x % 4 * 4;
#pragma unroll
        for (int j = 0; j < 8; j++) {
            storeWord(p + swizzledChunk(row, j), pack<__half>(s[4 * j], s[4 * j + 1]));
            storeWord(p + swizzledChunk(row + 8, j), pack<__half>(s[4 * j + 2], s[4 * j + 3]));
        }
        if (threadIdx.x % 4 == 0) {
            shared.factor[slot][row] = factor[0];
            shared.factor[slot][row + 8] = factor[1];
        }
        if (at + TILE > work.to) {
            syncNamed(SCORES, WARPGROUP); // no warp still reads keys for scores
            clearValues(sharedAddress(shared.keys[i % TILES]), work.to - at);
        }
        showToTensorCores();
        // The next tile's scores go first, so that its softmax runs beside this tile's output: unless they must wait.
        Barrier& next = shared.full[(i + 1) % TILES];
        const int parity = (i + 1) / TILES % 2;
        const bool more = i + 1 < tiles;
        const bool later = more && __all_sync(0xFFFFFFFFu, passed(next, parity));
        if (!later) {
            arriveWarp(shared.ready[slot]);
        }
        if (more) {
            next.wait(parity);
            issueScores(s, held, queries, sharedAddress(shared.keys[(i + 1) % TILES]));
            awaitProducts<0>();
        }
        if (later) {
            arriveWarp(shared.ready[slot]);
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

// Codes of 16 columns and 32 keys, which begin at `chunk` of a box, as operands of two products: columns 2i and 2i+1 are
// rows i and i+8 of the operand.
static __device__ __forceinline__ void widenValues(uint32_t (&a)[2][4], uint32_t box, int chunk, int key) {
    uint32_t codes[4];
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(codes[0]), "=r"(codes[1]), "=r"(codes[2]), "=r"(codes[3])
                 : "r"(box + swizzledChunk(key + threadIdx.x % 32, chunk))
                 : "memory");
#pragma unroll
    for (int i = 0; i < 4; i++) {
        asm("{\n.reg .b32 sorted;\n.reg .b16 first, second;\nprmt.b32 sorted, %2, 0, 0x3120;\n"
            "mov.b32 {first, second}, sorted;\ncvt.rn.f16x2.e4m3x2 %0, first;\ncvt.rn.f16x2.e4m3x2 %1, second;\n}"
            : "=r"(a[i / 2][i % 2 * 2]), "=r"(a[i / 2][i % 2 * 2 + 1])
            : "r"(codes[i]));
    }
}

// Half of the output's columns, transposed: columns are the rows of the product.
template <class Store>
static __device__ __forceinline__ void output(Shared& shared, int half, Store store) {
    const Work& work = shared.work;
    const int lane = threadIdx.x % 32;
    const int warp = threadIdx.x % WARPGROUP / 32;
    float o[4][32]; // quarters of the columns
    const int tiles = work.tiles();
    for (int i = 0; i < tiles; i++) {
        const int tile = i % TILES, slot = i % SLOTS;
        shared.full[tile].wait(i / TILES % 2);
        shared.ready[slot].wait(i / SLOTS % 2);
        const float* factor = shared.factor[slot];
        if (i > 0 && __any_sync(0xFFFFFFFFu, factor[lane] != 1 || factor[lane + 32] != 1)) {
#pragma unroll
            for (int j = 0; j < 8; j++) {
                const float2 f = *reinterpret_cast<const float2*>(factor + 8 * j + 2 * (lane % 4));
#pragma unroll
                for (int m = 0; m < 4; m++) {
                    o[m][4 * j] *= f.x;
                    o[m][4 * j + 1] *= f.y;
                    o[m][4 * j + 2] *= f.x;
                    o[m][4 * j + 3] *= f.y;
                }
            }
        }
        const uint32_t keys = sharedAddress(shared.keys[tile][2 * half]);
        const Boxes p = Boxes::rows(sharedAddress(shared.probabilities[slot]));
        uint32_t a[2][2][4];
#pragma unroll
        for (int u = 0; u < 8; u++) {
            const int m = u % 4, step = u / 4 * 2;
            if (u >= 2) {
                awaitProducts<1>();
            }
            widenValues(a[u % 2], keys + m / 2 * BOX, m % 2 * 4 + warp, step * 16);
            openProducts();
            multiplyN64<__half>(o[m], a[u % 2][0], p.at(step * 32), i > 0 || u >= 4);
            multiplyN64<__half>(o[m], a[u % 2][1], p.at(step * 32 + 32), true);
            closeProducts();
        }
        awaitProducts<0>();
        arriveWarp(shared.empty[tile]);
        arriveWarp(shared.used[slot]);
    }
    shared.finished.wait(0);
#pragma unroll
    for (int j = 0; j < 8; j++) {
#pragma unroll
        for (int c = 0; c < 2; c++) {
            const int r = 8 * j + 2 * (lane % 4) + c;
            if (work.row + r < work.rows) {
                const float inverse = shared.inverse[r];
                const float v[4][2] = {{o[0][4 * j + c] * inverse, o[0][4 * j + 2 + c] * inverse},
                                       {o[1][4 * j + c] * inverse, o[1][4 * j + 2 + c] * inverse},
                                       {o[2][4 * j + c] * inverse, o[2][4 * j + 2 + c] * inverse},
                                       {o[3][4 * j + c] * inverse, o[3][4 * j + 2 + c] * inverse}};
                store(v, work.row + r, 256 * half + 16 * warp + lane / 4 * 2);
            }
        }
    }
}

// Keys, by one warp.
static __device__ __forceinline__ void load(Shared& shared, const CUtensorMap& cache, const Paged& paged, int piece) {
    const Work& work = shared.work;
    const int lane = threadIdx.x % 32;
    const uint64_t policy = cachePolicy(Keep::SHORT);
    CachePieces pieces;
    Turn<TILES> turn;
    const int to = work.to;
    for (int at = work.from; at < to; at += TILE) {
        const int present = (min(TILE, to - at) + piece - 1) / piece * piece;
        if (turn.place == TILES - 1) {
            shared.queriesTaken.wait(0);
        }
        shared.empty[turn.place].wait(turn.parity ^ 1);
        if (lane == 0) {
            shared.full[turn.place].arriveExpecting(present * BOXES * BOX_CODES);
        }
        __syncwarp();
        for (int r = 0; r < present; r += piece) {
            const int row = pieces.row(paged, work.sequence, piece, at + r, to);
            if (lane < BOXES) {
                copyBox(sharedAddress(shared.keys[turn.place][lane]) + r * BOX_ROW_BYTES, cache,
                        shared.full[turn.place], lane * BOX_CODES, row, policy);
            }
        }
        turn.advance(1);
    }
}

extern "C" __global__ __launch_bounds__(4 * WARPGROUP, 1)
void mla_decode_attention_fp8_d576_e4m3(const __grid_constant__ CUtensorMap cache, bf16* out, float* partial,
                                        float* logSum, const e4m3* q, const int* starts, const int* past,
                                        const int* pageTable, int B, int tablePages, int pageTokens, int Q, int chunk,
                                        int piece, int64_t qToken, int64_t qHead, int64_t outToken, int64_t outHead,
                                        float scale) {
    extern __shared__ unsigned char memory[];
    Shared& shared = *reinterpret_cast<Shared*>(memory + (1024 - sharedAddress(memory) % 1024) % 1024);
    const Split split{starts, past, Q, chunk};
    const Paged paged{starts, past, pageTable, B, tablePages, pageTokens};
    const int sequence = blockIdx.z;
    const int part = blockIdx.y;
    const int rows = split.queries(sequence) * Q;
    const int from = part * chunk;
    const int to = min(from + chunk, split.keys(sequence));
    if (blockIdx.x * TILE >= rows || from >= to) {
        return;
    }
    const int64_t before = split.parts(sequence) == 1 ? -1 : split.firstPartial(sequence);
    if (threadIdx.x == 0) {
        Work& work = shared.work;
        work.start = starts[sequence];
        work.heads = Q;
        work.row = blockIdx.x * TILE;
        work.rows = rows;
        work.past = past[sequence];
        work.from = from;
        work.to = to;
        work.open = min(work.visible(work.row), to);
        work.sequence = sequence;
        work.firstPartial = before < 0 ? -1 : before + static_cast<int64_t>(part) * rows;
        shared.queriesTaken.init(4);
        shared.finished.init(WARPGROUP);
        for (int i = 0; i < TILES; i++) {
            shared.full[i].init(1);
            shared.empty[i].init(8);
        }
        for (int i = 0; i < SLOTS; i++) {
            shared.ready[i].init(4);
            shared.used[i].init(8);
        }
        fenceBarrierInit();
    }
    __syncthreads();
    const int group = threadIdx.x / WARPGROUP;
    if (group == 0) {
        claimRegisters<136>();
        score(shared, q, qToken, qHead, scale * LOG2E);
    } else if (group == 3) {
        giveUpRegisters<24>();
        if (threadIdx.x < 3 * WARPGROUP + 32) {
            load(shared, cache, paged, piece);
        }
    } else {
        claimRegisters<176>();
        output(shared, group - 1, [&](const float (&v)[4][2], int r, int column) {
            const int64_t first = shared.work.firstPartial;
            if (first < 0) {
                bf16* row = out + (shared.work.start + r / Q) * outToken + r % Q * outHead + column;
#pragma unroll
                for (int m = 0; m < 4; m++) {
                    *reinterpret_cast<uint32_t*>(row + 64 * m) = packBf16(v[m][0], v[m][1]);
                }
            } else {
                float* row = partial + (first + r) * VALUES + column;
#pragma unroll
                for (int m = 0; m < 4; m++) {
                    *reinterpret_cast<float2*>(row + 64 * m) = make_float2(v[m][0], v[m][1]);
                }
            }
        });
        const Work& work = shared.work;
        const int r = threadIdx.x - WARPGROUP;
        if (work.firstPartial >= 0 && r < TILE && work.row + r < work.rows) {
            logSum[work.firstPartial + work.row + r] = shared.logSum[r];
        }
    }
}
