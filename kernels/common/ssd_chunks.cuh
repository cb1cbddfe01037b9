// Chunks of Mamba-2's recurrence: what both passes over a segment do with them. A block has two heads of a group, which share
// b and c; a warpgroup holds the state of one head or half of its columns.
#pragma once

#include "attention_products.cuh"
#include "exp2.cuh"
#include "recurrent.cuh"
#include "settle.cuh"
#include "warp_tiles.cuh"

constexpr int SSD_THREADS = 256; // of the first pass; the second has twice as many
constexpr int SSD_HEADS = 2; // of a block
constexpr int SSD_CHUNK = 128;
constexpr int SSD_D = 64;
constexpr int SSD_N = 128;
constexpr int SSD_BOX = SSD_CHUNK * BOX_ROW_BYTES; // 64 columns of a chunk's tokens
static_assert(SSD_D == BOX_COLUMNS && SSD_N == 2 * BOX_COLUMNS, "x of a head is one box, b and c are two each");

// The heads of a block: pairs within a group, the last of an odd number alone. Then its second warpgroup repeats the first
// one's work and keeps nothing of it.
struct SsdPair {
    int group, first, count;

    __device__ SsdPair(int pair, int heads, int groups) {
        const int each = heads / groups, pairs = (each + SSD_HEADS - 1) / SSD_HEADS;
        group = pair / pairs;
        first = group * each + pair % pairs * SSD_HEADS;
        count = min(SSD_HEADS, each - pair % pairs * SSD_HEADS);
    }
    // Of the pair's first or second place.
    __device__ int head(int place) const { return first + min(place, count - 1); }
};

// Scalars of a chunk's tokens; decays are logarithms to base 2.
struct SsdGates {
    float delta[SSD_CHUNK];  // step sizes, 0 behind the sequence's end
    float decay[SSD_CHUNK];  // decays, summed from the chunk's start
    float weight[SSD_CHUNK]; // step size times what is left of a token at the chunk's end
};

// A head's step sizes: one warp loads a chunk's, works them out while the chunk before is on its way through the products, and
// puts them where others read.
struct SsdSteps {
    const bf16* dt; // of the head
    int64_t step;
    float bias, rate; // rate: -exp(aLog), to base 2
    uint16_t raw[4];  // as loaded: to convert them is to wait for them
    int left;         // tokens from the chunk's start to the end
    float delta[4];   // of tokens 4*lane ..
    float decay[4];
    float last;

    // The loads are on their way until work(); a chunk behind the end has step sizes of 0.
    __device__ void fetch(int token, int until) {
        left = until - token;
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const int t = min(token + static_cast<int>(threadIdx.x) % 32 * 4 + i, until - 1);
            raw[i] = *reinterpret_cast<const uint16_t*>(dt + t * step);
        }
    }
    __device__ void work() {
        const int lane = threadIdx.x % 32;
        float sum = 0;
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const float loaded = __uint_as_float(static_cast<uint32_t>(raw[i]) << 16);
            delta[i] = 4 * lane + i < left ? softplus(loaded + bias) : 0;
            sum += delta[i] * rate;
            decay[i] = sum;
        }
        float before = sum; // inclusive over lanes, then exclusive
#pragma unroll
        for (int distance = 1; distance < 32; distance *= 2) {
            const float other = __shfl_up_sync(0xFFFFFFFFu, before, distance);
            before += lane >= distance ? other : 0;
        }
        last = __shfl_sync(0xFFFFFFFFu, before, 31);
        before -= sum;
#pragma unroll
        for (int i = 0; i < 4; i++) {
            decay[i] += before;
        }
    }
    __device__ void put(SsdGates& gates) const {
        const int lane = threadIdx.x % 32;
        float weight[4];
#pragma unroll
        for (int i = 0; i < 4; i++) {
            weight[i] = fastExp2(last - decay[i]) * delta[i];
        }
        reinterpret_cast<float4*>(gates.delta)[lane] = make_float4(delta[0], delta[1], delta[2], delta[3]);
        reinterpret_cast<float4*>(gates.decay)[lane] = make_float4(decay[0], decay[1], decay[2], decay[3]);
        reinterpret_cast<float4*>(gates.weight)[lane] = make_float4(weight[0], weight[1], weight[2], weight[3]);
    }
};

#define D4(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define D16(i) D4(i), D4(i + 4), D4(i + 8), D4(i + 12)

// d[64,64] += a[64,16] * b[16,64]; a in registers, b one box in rows along the reduced axis.
__device__ __forceinline__ void multiplyBox(float (&d)[32], const uint32_t (&a)[4], uint64_t b) {
    asm volatile(
        "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, "
        " %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, "
        "{%32, %33, %34, %35}, %36, 1, 1, 1, 1;"
        : D16(0), D16(16)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

#undef D16
#undef D4

// A head's state [D,N], or as many columns of it, in the registers of a warpgroup, as sums of its products: warp w has rows
// 16*w .., all of the columns. Eight of them are a tile; `tiles` says how many lie before those held.
template <int COLUMNS>
struct SsdState {
    static_assert(COLUMNS == SSD_N || COLUMNS == BOX_COLUMNS, "all columns or a box of them");
    float s[COLUMNS / 2];

    __device__ static int row() { return threadIdx.x / 32 % 4 * 16 + threadIdx.x % 32 / 4; }
    __device__ static int column(int tile) { return tile * 8 + threadIdx.x % 4 * 2; }

    __device__ void decay(const SsdGates& gates) {
        const float kept = fastExp2(gates.decay[SSD_CHUNK - 1]);
#pragma unroll
        for (int i = 0; i < COLUMNS / 2; i++) {
            s[i] *= kept;
        }
    }
    // Takes in what 16 * (TO - FROM) of a chunk's tokens add to the decayed state: their x, weighted, as the left operand, in a
    // group of products, which the caller awaits. b: the held columns' boxes.
    template <int FROM, int TO, int STEPS>
    __device__ void advance(uint32_t (&a)[STEPS][4], WarpTile<128> x, uint32_t b, const SsdGates& gates) {
#pragma unroll
        for (int k = FROM; k < TO; k++) {
            uint32_t(&to)[4] = a[k % STEPS];
            x.leftTransposed(to, threadIdx.x / 32 % 4 * 16, k);
            const float2 low = *reinterpret_cast<const float2*>(&gates.weight[16 * k + threadIdx.x % 4 * 2]);
            const float2 high = *reinterpret_cast<const float2*>(&gates.weight[16 * k + 8 + threadIdx.x % 4 * 2]);
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const float2 w = i < 2 ? low : high;
                to[i] = packBf16(lowBf16(to[i]) * w.x, highBf16(to[i]) * w.y);
            }
        }
        const Boxes columns = Boxes::columns(b, SSD_BOX);
        openProducts();
#pragma unroll
        for (int k = FROM; k < TO; k++) {
            if constexpr (COLUMNS == SSD_N) {
                multiplyRows<bf16>(s, a[k % STEPS], columns.at(k * 16 * BOX_ROW_BYTES));
            } else {
                multiplyBox(s, a[k % STEPS], columns.at(k * 16 * BOX_ROW_BYTES));
            }
        }
        closeProducts();
    }
    // To and from scratch memory, in the warpgroup's own order.
    __device__ void put(float* scratch, int tiles = 0) const {
#pragma unroll
        for (int j = 0; j < COLUMNS / 8; j++) {
            reinterpret_cast<float4*>(scratch)[(tiles + j) * 128 + threadIdx.x % 128] =
                make_float4(s[4 * j], s[4 * j + 1], s[4 * j + 2], s[4 * j + 3]);
        }
    }
    __device__ void decayAndAdd(float kept, const float* scratch, int tiles = 0) {
#pragma unroll
        for (int j = 0; j < COLUMNS / 8; j++) {
            const float4 v = reinterpret_cast<const float4*>(scratch)[(tiles + j) * 128 + threadIdx.x % 128];
            s[4 * j] = kept * s[4 * j] + v.x, s[4 * j + 1] = kept * s[4 * j + 1] + v.y;
            s[4 * j + 2] = kept * s[4 * j + 2] + v.z, s[4 * j + 3] = kept * s[4 * j + 3] + v.w;
        }
    }
    // From and to the cache, [D,N] in S.
    template <class S>
    __device__ void read(const S* cache, int tiles = 0) {
#pragma unroll
        for (int j = 0; j < COLUMNS / 8; j++) {
#pragma unroll
            for (int h = 0; h < 2; h++) {
                loadPair(s[4 * j + 2 * h], s[4 * j + 2 * h + 1], cache + (row() + 8 * h) * SSD_N + column(tiles + j));
            }
        }
    }
    template <class S>
    __device__ void write(S* cache, int tiles = 0) const {
#pragma unroll
        for (int j = 0; j < COLUMNS / 8; j++) {
#pragma unroll
            for (int h = 0; h < 2; h++) {
                storePair(cache + (row() + 8 * h) * SSD_N + column(tiles + j), s[4 * j + 2 * h], s[4 * j + 2 * h + 1]);
            }
        }
    }
};

// The first `rows` tokens of a chunk, 64 columns a box, zeros behind them.
template <int BOXES, int THREADS = SSD_THREADS>
__device__ inline void copyChunk(uint32_t boxes, const bf16* from, int64_t step, int rows) {
#pragma unroll
    for (int i = 0; i < BOXES; i++) {
        copyRows<128, SSD_CHUNK, THREADS>({boxes + i * SSD_BOX}, from + i * BOX_COLUMNS, step, rows);
    }
}
