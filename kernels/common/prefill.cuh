// Causal attention of 128 queries of one head a block over keys and values that lie one after the other: what MLA's
// expanded form and grouped queries share (Shah et al. 2024, §3).
//
// Warpgroups 0 and 1 multiply for 64 queries each, a thread of warpgroup 2 asks for the copies, two tiles ahead, the
// last keys first. Scores of a tile are multiplied while the tile before meets its values. The two take turns at asking for
// products, so that one's softmax runs beside the other's products.
#pragma once

#include "attention_products.cuh"
#include "paged.cuh"
#include "softmax.cuh"
#include "tensor_copy.cuh"

constexpr int QUERIES = 128; // of a block
constexpr int QUERY_BOX = QUERIES * BOX_ROW_BYTES;
constexpr int WARPGROUP = 128;
constexpr int STAGES = 2;
constexpr int TURN = 1; // named barriers TURN and TURN+1: the turns of warpgroups 0 and 1

// K and V boxes of N rows of keys and values a stage.
template <int K, int V, int N>
struct PrefillShared {
    static constexpr int BOX = N * BOX_ROW_BYTES;
    unsigned char q[K][QUERY_BOX];
    unsigned char keys[STAGES][K][BOX];
    unsigned char values[STAGES][V][BOX];
    Barrier qFull, keysFull[STAGES], keysEmpty[STAGES], valuesFull[STAGES], valuesEmpty[STAGES];
};

// A block's queries, counted from the sequence's first, and the keys that it needs, past tokens included.
struct PrefillTask {
    int first, queries, past, keys;
};

// A place in the stages, and the parity of its phase.
struct Stage {
    int place = 0, parity = 0;

    __device__ __forceinline__ void advance() {
        place = (place + 1) % STAGES;
        parity ^= place == 0;
    }
};

// Copies for one thread. `start` is the row of the sequence's first query, `context` that of its first key; `source`
// copies box b of rows from `row` on: source.query(b, to, row, barrier), key and value alike.
template <int K, int V, int N, class Source>
static __device__ __forceinline__ void copyTiles(
    PrefillShared<K, V, N>& shared, const PrefillTask& task, int start, int context, const Source& source) {
    shared.qFull.arriveExpecting(K * QUERY_BOX);
#pragma unroll
    for (int b = 0; b < K; b++) {
        source.query(b, sharedAddress(shared.q[b]), start + task.first, shared.qFull);
    }
    Stage stage;
    for (int at = (task.keys - 1) / N * N; at >= 0; at -= N) {
        const int s = stage.place;
        shared.keysEmpty[s].wait(stage.parity ^ 1);
        shared.keysFull[s].arriveExpecting(K * N * BOX_ROW_BYTES);
#pragma unroll
        for (int b = 0; b < K; b++) {
            source.key(b, sharedAddress(shared.keys[s][b]), context + at, shared.keysFull[s]);
        }
        shared.valuesEmpty[s].wait(stage.parity ^ 1);
        shared.valuesFull[s].arriveExpecting(V * N * BOX_ROW_BYTES);
#pragma unroll
        for (int b = 0; b < V; b++) {
            source.value(b, sharedAddress(shared.values[s][b]), context + at, shared.valuesFull[s]);
        }
        stage.advance();
    }
}

// Arrives at a named barrier of so many threads without waiting.
static __device__ __forceinline__ void arriveNamed(int id, int threads) {
    asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

static __device__ __forceinline__ void release(Barrier& empty) {
    if (threadIdx.x % 32 == 0) {
        empty.arrive();
    }
}

// A warpgroup's 64 queries.
template <int K, int V, int N>
static __device__ __forceinline__ void attend(
    PrefillShared<K, V, N>& shared, const PrefillTask& task, bf16* out, int64_t outToken, float scale) {
    constexpr int BOX = N * BOX_ROW_BYTES;
    const int group = threadIdx.x / WARPGROUP;
    const int row = task.first + 64 * group + threadIdx.x % WARPGROUP / 32 * 16 + threadIdx.x % 32 / 4;
    const float scales[2] = {scale, scale};
    OnlineSoftmax<0> softmax;
    float s[N / 2], o[V * 32], factor[2];
    uint32_t p[N / 16][4];
    auto issueScores = [&](int stage) {
        const Boxes q = Boxes::rows(sharedAddress(shared.q) + 64 * group * BOX_ROW_BYTES);
        const Boxes keys = Boxes::rows(sharedAddress(shared.keys[stage]));
        openProducts();
#pragma unroll
        for (int k = 0; k < 4 * K; k++) {
            multiplyScores(s, q.at(k / 4 * QUERY_BOX + k % 4 * 32), keys.at(k / 4 * BOX + k % 4 * 32), k > 0);
        }
        closeProducts();
    };
    auto issueOutput = [&](int stage) {
        const Boxes values = Boxes::columns(sharedAddress(shared.values[stage]), BOX);
        openProducts();
#pragma unroll
        for (int k = 0; k < N / 16; k++) {
            multiplyRows<bf16>(o, p[k], values.at(k * 16 * BOX_ROW_BYTES));
        }
        closeProducts();
    };
    auto normalise = [&](int at) {
        if (at + N > task.past + task.first + 64 * group + 1) {
            hideKeys(s, {task.past + row + 1 - at, task.past + row + 9 - at});
        }
        softmax.advance(s, scales, factor);
    };
    auto packRows = [&] {
#pragma unroll
        for (int i = 0; i < N / 4; i++) {
            p[i / 4][i % 4] = packBf16(s[2 * i], s[2 * i + 1]);
        }
    };
    int at = (task.keys - 1) / N * N;
    Stage stage;
    shared.qFull.wait(0);
    shared.keysFull[0].wait(0);
    issueScores(0);
    awaitProducts<0>();
    release(shared.keysEmpty[0]);
    normalise(at);
    packRows();
#pragma unroll
    for (int i = 0; i < V * 32; i++) {
        o[i] = 0;
    }
    if (group == 1) {
        arriveNamed(TURN, 2 * WARPGROUP); // warpgroup 0 goes first
    }
    for (at -= N; at >= 0; at -= N) {
        const Stage before = stage;
        stage.advance();
        shared.keysFull[stage.place].wait(stage.parity);
        syncNamed(TURN + group, 2 * WARPGROUP);
        issueScores(stage.place);
        shared.valuesFull[before.place].wait(before.parity);
        issueOutput(before.place);
        arriveNamed(TURN + 1 - group, 2 * WARPGROUP);
        awaitProducts<1>(); // the scores; the output's products go on beside the softmax
        release(shared.keysEmpty[stage.place]);
        normalise(at);
        awaitProducts<0>();
        release(shared.valuesEmpty[before.place]);
        if (__any_sync(0xFFFFFFFFu, factor[0] != 1 || factor[1] != 1)) {
#pragma unroll
            for (int i = 0; i < V * 32; i++) {
                o[i] *= factor[i / 2 % 2];
            }
        }
        packRows();
    }
    if (group == 0) {
        syncNamed(TURN, 2 * WARPGROUP); // the turn that nobody took
    }
    shared.valuesFull[stage.place].wait(stage.parity);
    issueOutput(stage.place);
    awaitProducts<0>();
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const float inverse = 1 / softmax.sum(half);
        if (row + 8 * half < task.queries) {
            bf16* to = out + (row + 8 * half) * outToken + 2 * (threadIdx.x % 4);
#pragma unroll
            for (int j = 0; j < V * 8; j++) {
                const int i = 4 * j + 2 * half;
                *reinterpret_cast<uint32_t*>(to + 8 * j) = packBf16(o[i] * inverse, o[i + 1] * inverse);
            }
        }
    }
}

// The whole block; x of the grid counts tiles of queries, y query heads, z sequences.
template <int K, int V, int N, class Source>
static __device__ __forceinline__ void prefill(bf16* out, int64_t outToken, int64_t outHead, const int* starts,
                                               const int* past, float scale, const Source& source) {
    extern __shared__ unsigned char memory[];
    auto& shared = *reinterpret_cast<PrefillShared<K, V, N>*>(memory + (1024 - sharedAddress(memory) % 1024) % 1024);
    const int sequence = blockIdx.z;
    const int start = starts[sequence];
    PrefillTask task;
    task.queries = starts[sequence + 1] - start;
    task.past = past[sequence];
    // The longest rows first, so that short ones fill the gaps.
    task.first = ((task.queries - 1) / QUERIES - static_cast<int>(blockIdx.x)) * QUERIES;
    if (task.first < 0) {
        return;
    }
    task.keys = task.past + min(task.queries, task.first + QUERIES);
    const int context = static_cast<int>(contextStart(starts, past, sequence));
    if (threadIdx.x == 0) {
        shared.qFull.init(1);
        for (int i = 0; i < STAGES; i++) {
            shared.keysFull[i].init(1);
            shared.valuesFull[i].init(1);
            shared.keysEmpty[i].init(2 * WARPGROUP / 32);
            shared.valuesEmpty[i].init(2 * WARPGROUP / 32);
        }
        fenceBarrierInit();
    }
    __syncthreads();
    if (threadIdx.x >= 2 * WARPGROUP) {
        giveUpRegisters<24>();
        if (threadIdx.x == 2 * WARPGROUP) {
            copyTiles(shared, task, start, context, source);
        }
    } else {
        claimRegisters<240>();
        attend(shared, task, out + start * outToken + blockIdx.y * outHead, outToken, scale);
    }
}
