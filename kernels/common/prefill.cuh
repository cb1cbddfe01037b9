// Causal attention of 128 queries of one head at a time over keys and values that lie one after the other: what MLA's
// expanded form and grouped queries share (Shah et al. 2024, §3).
//
// A block takes task after task. Warpgroups 0 and 1 multiply for 64 queries each, a warp of warpgroup 2 takes tasks and
// asks for the copies, two tiles ahead and across tasks, the last keys first. Scores of a tile are multiplied while the
// tile before meets its values. The two take turns at asking for products, so that one's softmax runs beside the other's
// products.
#pragma once

#include "attention_products.cuh"
#include "paged.cuh"
#include "ring.cuh"
#include "softmax.cuh"
#include "tensor_copy.cuh"

constexpr int QUERIES = 128; // of a block
constexpr int QUERY_BOX = QUERIES * BOX_ROW_BYTES;
constexpr int WARPGROUP = 128;
constexpr int STAGES = 2;
constexpr int TURN = 1; // named barriers TURN and TURN+1: the turns of warpgroups 0 and 1

// 128 queries of a head, from the sequence's `first` on, and the keys that they need, past tokens included; `start` is
// the row of the sequence's first query. Without queries: no task is left.
struct PrefillTask {
    int start, first, queries, past, keys, head;
};

// K and V boxes of N rows of keys and values a stage.
template <int K, int V, int N>
struct PrefillShared {
    static constexpr int BOX = N * BOX_ROW_BYTES;
    unsigned char q[K][QUERY_BOX];
    unsigned char keys[STAGES][K][BOX];
    unsigned char values[STAGES][V][BOX];
    PrefillTask tasks[STAGES];
    Barrier qFull, qEmpty, keysFull[STAGES], keysEmpty[STAGES], valuesFull[STAGES], valuesEmpty[STAGES];
    Barrier taskFull[STAGES], taskEmpty[STAGES];
};

// The tasks of a launch in the order in which blocks take them. Those of `headGroup` heads, whose keys and values L2
// holds together, begin with the longest of all of them, so that short ones fill the gaps at the end.
struct PrefillOrder {
    const int* starts;
    const int* past;
    int* taken; // tasks that blocks asked for beyond their first, and blocks that ended; zeros between launches
    int tiles, heads, sequences, headGroup;

    // By a whole warp; returns the row of the sequence's first key. Queries of the task are 0 when none is left.
    __device__ __forceinline__ int next(PrefillTask& task, int& number) const {
        const int ofSequence = tiles * heads;
        task.queries = 0;
        while (number < ofSequence * sequences) {
            const int sequence = number / ofSequence;
            const int at = number % ofSequence;
            const int firstHead = at / (tiles * headGroup) * headGroup;
            const int together = min(headGroup, heads - firstHead);
            const int inGroup = at - firstHead * tiles;
            advance(number);
            task.start = starts[sequence];
            task.queries = starts[sequence + 1] - task.start;
            task.past = past[sequence];
            task.head = firstHead + inGroup % together;
            task.first = ((task.queries - 1) / QUERIES - inGroup / together) * QUERIES;
            if (task.first >= 0) {
                task.keys = task.past + min(task.queries, task.first + QUERIES);
                int before = 0;
                for (int b = threadIdx.x % 32; b < sequence; b += 32) {
                    before += past[b];
                }
                return task.start + __reduce_add_sync(0xFFFFFFFFu, before);
            }
            task.queries = 0;
        }
        return 0;
    }

    __device__ __forceinline__ void end() const {
        if (threadIdx.x % 32 == 0 && atomicAdd(taken + 1, 1) == static_cast<int>(gridDim.x) - 1) {
            taken[0] = 0;
            taken[1] = 0;
        }
    }

private:
    __device__ __forceinline__ void advance(int& number) const {
        int one = 0;
        if (threadIdx.x % 32 == 0) {
            one = atomicAdd(taken, 1);
        }
        number = static_cast<int>(gridDim.x) + __shfl_sync(0xFFFFFFFFu, one, 0);
    }
};

// Tasks and their copies, by one warp. `source` copies box b of a head's rows from `row` on: source.query(head, b, to,
// row, barrier), key and value alike.
template <int K, int V, int N, class Source>
static __device__ __forceinline__ void copyTasks(
    PrefillShared<K, V, N>& shared, const PrefillOrder& order, const Source& source) {
    const bool asks = threadIdx.x % 32 == 0;
    int number = blockIdx.x;
    int qParity = 1;
    Turn<STAGES> stage, slot;
    for (;;) {
        PrefillTask task;
        const int context = order.next(task, number);
        shared.taskEmpty[slot.place].wait(slot.parity ^ 1);
        if (asks) {
            shared.tasks[slot.place] = task;
            shared.taskFull[slot.place].arrive();
        }
        slot.advance(1);
        if (task.queries == 0) {
            break;
        }
        shared.qEmpty.wait(qParity);
        qParity ^= 1;
        if (asks) {
            shared.qFull.arriveExpecting(K * QUERY_BOX);
#pragma unroll
            for (int b = 0; b < K; b++) {
                source.query(task.head, b, sharedAddress(shared.q[b]), task.start + task.first, shared.qFull);
            }
        }
        for (int at = (task.keys - 1) / N * N; at >= 0; at -= N) {
            const int s = stage.place;
            shared.keysEmpty[s].wait(stage.parity ^ 1);
            if (asks) {
                shared.keysFull[s].arriveExpecting(K * N * BOX_ROW_BYTES);
#pragma unroll
                for (int b = 0; b < K; b++) {
                    source.key(task.head, b, sharedAddress(shared.keys[s][b]), context + at, shared.keysFull[s]);
                }
            }
            shared.valuesEmpty[s].wait(stage.parity ^ 1);
            if (asks) {
                shared.valuesFull[s].arriveExpecting(V * N * BOX_ROW_BYTES);
#pragma unroll
                for (int b = 0; b < V; b++) {
                    source.value(task.head, b, sharedAddress(shared.values[s][b]), context + at, shared.valuesFull[s]);
                }
            }
            __syncwarp();
            stage.advance(1);
        }
    }
    order.end();
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

// A warpgroup's 64 queries of a task, whose tiles begin at `stage`.
template <int K, int V, int N>
static __device__ __forceinline__ void attend(PrefillShared<K, V, N>& shared, const PrefillTask& task,
                                              Turn<STAGES>& stage, int qParity, bf16* out, int64_t outToken,
                                              float scale) {
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
    shared.qFull.wait(qParity);
    shared.keysFull[stage.place].wait(stage.parity);
    issueScores(stage.place);
    awaitProducts<0>();
    release(shared.keysEmpty[stage.place]);
    if (at == 0) {
        release(shared.qEmpty);
    }
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
        const Turn<STAGES> before = stage;
        stage.advance(1);
        shared.keysFull[stage.place].wait(stage.parity);
        syncNamed(TURN + group, 2 * WARPGROUP);
        issueScores(stage.place);
        shared.valuesFull[before.place].wait(before.parity);
        issueOutput(before.place);
        arriveNamed(TURN + 1 - group, 2 * WARPGROUP);
        awaitProducts<1>(); // the scores; the output's products go on beside the softmax
        release(shared.keysEmpty[stage.place]);
        if (at == 0) {
            release(shared.qEmpty);
        }
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
    release(shared.valuesEmpty[stage.place]);
    stage.advance(1);
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

// The whole block.
template <int K, int V, int N, class Source>
static __device__ __forceinline__ void prefill(bf16* out, int64_t outToken, int64_t outHead, float scale,
                                               const PrefillOrder& order, const Source& source) {
    extern __shared__ unsigned char memory[];
    auto& shared = *reinterpret_cast<PrefillShared<K, V, N>*>(memory + (1024 - sharedAddress(memory) % 1024) % 1024);
    constexpr int MULTIPLYING = 2 * WARPGROUP / 32;
    if (threadIdx.x == 0) {
        shared.qFull.init(1);
        shared.qEmpty.init(MULTIPLYING);
        for (int i = 0; i < STAGES; i++) {
            shared.keysFull[i].init(1);
            shared.valuesFull[i].init(1);
            shared.taskFull[i].init(1);
            shared.keysEmpty[i].init(MULTIPLYING);
            shared.valuesEmpty[i].init(MULTIPLYING);
            shared.taskEmpty[i].init(MULTIPLYING);
        }
        fenceBarrierInit();
    }
    __syncthreads();
    if (threadIdx.x >= 2 * WARPGROUP) {
        giveUpRegisters<24>();
        if (threadIdx.x < 2 * WARPGROUP + 32) {
            copyTasks(shared, order, source);
        }
    } else {
        claimRegisters<240>();
        Turn<STAGES> stage, slot;
        for (int qParity = 0;; qParity ^= 1) {
            shared.taskFull[slot.place].wait(slot.parity);
            const PrefillTask task = shared.tasks[slot.place];
            arriveWarp(shared.taskEmpty[slot.place]);
            slot.advance(1);
            if (task.queries == 0) {
                break;
            }
            attend(shared, task, stage, qParity, out + task.start * outToken + task.head * outHead, outToken, scale);
        }
    }
}
