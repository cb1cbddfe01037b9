// index_logits: the lightning indexer's scores of cached positions, 64 heads of 128 elements.
//
// Math      out[i,s] = scales[row(s)] * sum_h weights[i,h] * max(0, q[i,h,:] . elements[row(s),:]) for s <=
//           positions[i]; row(s) as in latent_append.cu; other elements of out are left
// Shapes    q [N,64,128] e4m3, weights [N,64] float32, elements [pages, pageTokens, 128] e4m3, scales [pages,
//           pageTokens], positions [N] int32, pageTable [B, tablePages] int32, out [N,S] float32, items [I] of four
//           int32; any N, S, B; pageTokens a multiple of 8
// Layout    rows of out lie `row` elements apart; the rest is contiguous. queries: a map of bytes [N*64, 128], boxes of
//           64 rows; keys: a map of bytes [pages*pageTokens, 128], boxes of `piece` rows, piece the greatest common
//           divisor of pageTokens and 64; both in the 128-byte swizzle
// Items     (first row, rows + 256 * sequence, first key, key behind the last): rows 1 .. TOKENS of one sequence, the
//           first key a multiple of 128
// Roofline  flops = 2*64*128*pairs, bytes = 132*keys + N*8448 + 4*pairs, pairs of a row and a position that it sees:
//           FP8 compute-bound in prefill, bandwidth-bound in decode
// Launch    grid (SMs), block (384), dynamic shared memory 152736 B where TOKENS is 1, 169120 B of 2, 201888 B of 4
//           (attribute to be raised). Blocks take every grid-th item. Warpgroups 0 and 1 have 64 keys of
//           a tile of 128 each, and all heads of the item's rows in their accumulators; a warp of the third copies
// Numerics  products of 128 elements keep about 14 bits on the tensor cores; the sum over heads is float32
// Source    DeepSeek-AI 2025 (DeepSeek-V3.2-Exp), section 2.1, equation 1
#include "common/cache_tile.cuh"
#include "common/index_products.cuh"
#include "common/ring.cuh"
#include "common/tensor_copy.cuh"

constexpr int HEADS = 64;
constexpr int WIDTH = 128; // bytes of a key or of a query's head
constexpr int TILE = 128;  // keys of a stage
constexpr int WARPGROUP = 128;
constexpr int STAGES = 8;
constexpr int SLOTS = 2; // of queries

template <int TOKENS>
struct Shared {
    unsigned char keys[STAGES][TILE * WIDTH];
    unsigned char queries[SLOTS][TOKENS * HEADS * WIDTH];
    float scales[STAGES][TILE];
    Barrier full[STAGES], empty[STAGES], queriesFull[SLOTS], queriesEmpty[SLOTS];
};

struct Item {
    int row, rows, sequence, from, to;

    static __device__ __forceinline__ Item read(const int4* items, int i) {
        const int4 v = items[i];
        return {v.x, v.y & 255, v.y >> 8, v.z, v.w};
    }
};

// One warp asks for an item's queries and its keys, tile by tile.
template <int TOKENS>
static __device__ __forceinline__ void copy(Shared<TOKENS>& shared, const CUtensorMap& queries, const CUtensorMap& keys,
                                            const float* scales, const int4* items, int count, const Paged& paged,
                                            int piece) {
    const uint64_t once = cachePolicy(Keep::SHORT), again = cachePolicy(Keep::LONG);
    const bool leader = threadIdx.x % 32 == 0;
    Turn<STAGES> stage;
    Turn<SLOTS> slot;
    for (int i = blockIdx.x; i < count; i += gridDim.x) {
        const Item item = Item::read(items, i);
        shared.queriesEmpty[slot.place].wait(slot.parity ^ 1);
        if (leader) {
            shared.queriesFull[slot.place].arriveExpecting(TOKENS * HEADS * WIDTH);
#pragma unroll
            for (int t = 0; t < TOKENS; t++) {
                copyBox(sharedAddress(shared.queries[slot.place]) + t * HEADS * WIDTH, queries,
                        shared.queriesFull[slot.place], 0, (item.row + t) * HEADS, once);
            }
        }
        slot.advance(1);
        CachePieces pieces;
        pieces.base = item.from / piece - 32;
        for (int at = item.from; at < item.to; at += TILE) {
            const int present = min(TILE, (item.to - at + piece - 1) / piece * piece);
            shared.empty[stage.place].wait(stage.parity ^ 1);
            if (leader) {
                shared.full[stage.place].arriveExpecting(present * (WIDTH + 4));
            }
            for (int key = 0; key < present; key += piece) {
                const int row = pieces.row(paged, item.sequence, piece, at + key, item.to);
                if (leader) {
                    copyBox(sharedAddress(shared.keys[stage.place]) + key * WIDTH, keys, shared.full[stage.place], 0,
                            row, again);
                    copyBytes(sharedAddress(&shared.scales[stage.place][key]), scales + row, piece * 4,
                              shared.full[stage.place], again);
                }
            }
            stage.advance(1);
        }
    }
}

// The sums over a quad's lanes of two values for each token: lane t of the quad gets those of token t, if there is one.
template <int TOKENS>
static __device__ __forceinline__ float2 quadSums(const float (&sums)[TOKENS][2]) {
    const int lane = threadIdx.x % 4;
    float2 own = make_float2(0, 0);
    if constexpr (TOKENS == 4) {
        // Each lane keeps two tokens of the four, then one of the two.
        const bool upper = lane & 2, odd = lane & 1;
        float kept[2][2];
#pragma unroll
        for (int t = 0; t < 2; t++) {
#pragma unroll
            for (int h = 0; h < 2; h++) {
                const float give = upper ? sums[t][h] : sums[2 + t][h];
                const float keep = upper ? sums[2 + t][h] : sums[t][h];
                kept[t][h] = keep + __shfl_xor_sync(0xFFFFFFFFu, give, 2);
            }
        }
        own.x = (odd ? kept[1][0] : kept[0][0]) + __shfl_xor_sync(0xFFFFFFFFu, odd ? kept[0][0] : kept[1][0], 1);
        own.y = (odd ? kept[1][1] : kept[0][1]) + __shfl_xor_sync(0xFFFFFFFFu, odd ? kept[0][1] : kept[1][1], 1);
    } else {
#pragma unroll
        for (int t = 0; t < TOKENS; t++) {
            float v[2] = {sums[t][0], sums[t][1]};
#pragma unroll
            for (int h = 0; h < 2; h++) {
                v[h] += __shfl_xor_sync(0xFFFFFFFFu, v[h], 1);
                v[h] += __shfl_xor_sync(0xFFFFFFFFu, v[h], 2);
            }
            if (lane == t) {
                own = make_float2(v[0], v[1]);
            }
        }
    }
    return own;
}

// One warpgroup's scores of all items.
template <int TOKENS>
static __device__ __forceinline__ void score(Shared<TOKENS>& shared, float* out, const float* weights,
                                             const int* positions, const int4* items, int count, int64_t step,
                                             int group) {
    const int lane = threadIdx.x % 4;
    const int key = 64 * group + threadIdx.x % WARPGROUP / 32 * 16 + threadIdx.x % 32 / 4;
    Turn<STAGES> stage;
    Turn<SLOTS> slot;
    for (int i = blockIdx.x; i < count; i += gridDim.x) {
        const Item item = Item::read(items, i);
        float w[TOKENS][HEADS / 4];
#pragma unroll
        for (int t = 0; t < TOKENS; t++) {
            const float* from = weights + static_cast<int64_t>(item.row + min(t, item.rows - 1)) * HEADS + 2 * lane;
#pragma unroll
            for (int j = 0; j < HEADS / 8; j++) {
                const float2 v = *reinterpret_cast<const float2*>(from + 8 * j);
                w[t][2 * j] = v.x;
                w[t][2 * j + 1] = v.y;
            }
        }
        // This lane stores scores of one token.
        const int last = lane < item.rows ? min(positions[item.row + lane], item.to - 1) : -1;
        float* row = out + (item.row + lane) * step;
        shared.queriesFull[slot.place].wait(slot.parity);
        const uint32_t queries = sharedAddress(shared.queries[slot.place]);
        for (int at = item.from; at < item.to; at += TILE) {
            float d[32 * TOKENS];
            shared.full[stage.place].wait(stage.parity);
            const uint64_t a = swizzledTile(sharedAddress(shared.keys[stage.place]) + group * 64 * WIDTH);
            const uint64_t b = swizzledTile(queries);
            openProducts();
            multiplyE4m3<false>(d, a, b);
            multiplyE4m3<true>(d, a + 2, b + 2);
            multiplyE4m3<true>(d, a + 4, b + 4);
            multiplyE4m3<true>(d, a + 6, b + 6);
            closeProducts();
            const float scale[2] = {shared.scales[stage.place][key], shared.scales[stage.place][key + 8]};
            awaitProducts<0>();
            arriveWarp(shared.empty[stage.place]);
            stage.advance(1);
            float sums[TOKENS][2];
#pragma unroll
            for (int t = 0; t < TOKENS; t++) {
#pragma unroll
                for (int h = 0; h < 2; h++) {
                    float even = 0, odd = 0;
#pragma unroll
                    for (int j = 0; j < HEADS / 8; j++) {
                        even = fmaf(fmaxf(d[32 * t + 4 * j + 2 * h], 0), w[t][2 * j], even);
                        odd = fmaf(fmaxf(d[32 * t + 4 * j + 2 * h + 1], 0), w[t][2 * j + 1], odd);
                    }
                    sums[t][h] = even + odd;
                }
            }
            const float2 own = quadSums(sums);
            if (at + key <= last) {
                row[at + key] = own.x * scale[0];
            }
            if (at + key + 8 <= last) {
                row[at + key + 8] = own.y * scale[1];
            }
        }
        arriveWarp(shared.queriesEmpty[slot.place]);
        slot.advance(1);
    }
}

template <int TOKENS>
static __device__ __forceinline__ void logits(float* out, const CUtensorMap& queries, const CUtensorMap& keys,
                                              const float* weights, const float* scales, const int* positions,
                                              const int* pageTable, const int4* items, int count, int tablePages,
                                              int pageTokens, int piece, int64_t row) {
    extern __shared__ unsigned char memory[];
    auto& shared = *reinterpret_cast<Shared<TOKENS>*>(memory + (1024 - sharedAddress(memory) % 1024) % 1024);
    if (threadIdx.x == 0) {
        for (int i = 0; i < STAGES; i++) {
            shared.full[i].init(1);
            shared.empty[i].init(2 * WARPGROUP / 32);
        }
        for (int i = 0; i < SLOTS; i++) {
            shared.queriesFull[i].init(1);
            shared.queriesEmpty[i].init(2 * WARPGROUP / 32);
        }
        fenceBarrierInit();
    }
    __syncthreads();
    const int group = threadIdx.x / WARPGROUP;
    if (group == 2) {
        giveUpRegisters<40>();
        if (threadIdx.x % WARPGROUP < 32) {
            const Paged paged{nullptr, nullptr, pageTable, 0, tablePages, pageTokens};
            copy<TOKENS>(shared, queries, keys, scales, items, count, paged, piece);
        }
    } else {
        claimRegisters<232>();
        score<TOKENS>(shared, out, weights, positions, items, count, row, group);
    }
}

static_assert(sizeof(Shared<1>) + 1024 == 152736 && sizeof(Shared<2>) + 1024 == 169120 &&
                  sizeof(Shared<4>) + 1024 == 201888, "as the header says");

#define INDEX_LOGITS(NAME, TOKENS)                                                                                     \
    extern "C" __global__ __launch_bounds__(3 * WARPGROUP, 1) void NAME(                                               \
        float* out, const __grid_constant__ CUtensorMap queries, const __grid_constant__ CUtensorMap keys,             \
        const float* weights, const float* scales, const int* positions, const int* pageTable, const int4* items,      \
        int count, int tablePages, int pageTokens, int piece, int64_t row) {                                           \
        logits<TOKENS>(out, queries, keys, weights, scales, positions, pageTable, items, count, tablePages,            \
                       pageTokens, piece, row);                                                                        \
    }

INDEX_LOGITS(index_logits_t1_e4m3, 1)
INDEX_LOGITS(index_logits_t2_e4m3, 2)
INDEX_LOGITS(index_logits_t4_e4m3, 4)
