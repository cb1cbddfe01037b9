// ssd_chunk_states: what each segment of a sequence but the last adds to Mamba-2's state: the first of two passes over
// prefill, so that segments can go side by side.
//
// Math      as ssd_state_update, from a state of zeros, in chunks of 128 tokens: with g[t] the decays' logarithms summed from
//           the chunk's start, S <- exp(g[last])*S + sum_t exp(g[last]-g[t])*delta[t] * x[t] (x) b[t]
// Shapes    x [T,Q,64], b [T,G,128], dt [T,Q], aLog, dtBias [Q] float32, state [slots,Q,64,128] in S; starts [B+1], past,
//           slots [B] int32. states [B,segments,Q] times 8192 float32: first the cached state (zeros where the sequence has
//           no past), then what segments 0 .. add; decays [B,segments,Q] float32: base-2 logarithm of what a segment keeps
// Layout    tokens of x, b, dt lie ldx, ldb, ldd elements apart; x and b 16-byte aligned, their steps multiples of 8
// Roofline  bytes = x and b once, flops = 2*T*Q*64*128: bandwidth-bound; blocks of a group take b from L2, Q/(2*G) times
// Launch    grid (segments - 1, G * ceil(Q/G / 2), B), block (256), 221,184 bytes of dynamic shared memory; a segment has
//           `chunks` chunks, a block two heads of a group
// Numerics  decayed inputs are rounded to bf16, sums are float32
// Source    Dao and Gu 2024 (Mamba-2), §6
#include "common/ssd_chunks.cuh"

constexpr int STAGES = 3;
constexpr int X_BYTES = SSD_HEADS * SSD_BOX;
constexpr int STAGE = X_BYTES + 2 * SSD_BOX;
constexpr int TOGETHER = 4; // chunks whose gates are worked out at once, each by another warp of the head's

template <class S>
static __device__ void states(float* out, float* decays, const S* state, const bf16* x, const bf16* b, const bf16* dt,
                              const float* aLog, const float* dtBias, const int* starts, const int* past,
                              const int* slots, int heads, int groups, int chunks, int64_t ldx, int64_t ldb,
                              int64_t ldd) {
    extern __shared__ __align__(1024) uint8_t shared[];
    const int place = __shfl_sync(0xFFFFFFFFu, threadIdx.x / 128, 0);
    SsdGates* gates = reinterpret_cast<SsdGates*>(shared + STAGES * STAGE) + 2 * TOGETHER * place; // of chunks in turn
    const int segment = blockIdx.x, segments = gridDim.x + 1, sequence = blockIdx.z;
    const SsdPair pair(blockIdx.y, heads, groups);
    const int head = pair.head(place);
    const bool owned = place < pair.count;
    const int begin = starts[sequence] + segment * chunks * SSD_CHUNK;
    const int length = chunks * SSD_CHUNK;
    const int64_t piece = (static_cast<int64_t>(sequence) * segments + segment) * heads + head;
    if (segment == 0 && owned) {
        SsdState<SSD_N> first = {};
        if (past[sequence] > 0) {
            first.read(state + (static_cast<int64_t>(slots[sequence]) * heads + head) * SSD_D * SSD_N);
        }
        first.put(out + piece * SSD_D * SSD_N);
    }
    if (begin + length >= starts[sequence + 1]) {
        return; // the sequence's last segment, or behind it
    }
    x += begin * ldx;
    b += begin * ldb + pair.group * SSD_N;
    auto fetch = [&](int chunk) {
        if (chunk < chunks) {
            const uint32_t base = sharedAddress(shared) + chunk % STAGES * STAGE;
            const int64_t token = static_cast<int64_t>(chunk) * SSD_CHUNK;
#pragma unroll
            for (int i = 0; i < SSD_HEADS; i++) {
                copyChunk<1>(base + i * SSD_BOX, x + token * ldx + pair.head(i) * SSD_D, ldx, SSD_CHUNK);
            }
            copyChunk<2>(base + X_BYTES, b + token * ldb, ldb, SSD_CHUNK);
        }
        closeCopyGroup(); // an empty one too: groups are counted
    };
    fetch(0);
    fetch(1);
    const int ahead = __shfl_sync(0xFFFFFFFFu, threadIdx.x % 128 / 32, 0); // of which chunk the warp has the head's gates
    SsdSteps steps{dt + begin * ldd + head, ldd, dtBias[head], -expf(aLog[head]) * 1.44269504f};
    SsdState<SSD_N> sum = {};
    float kept = 0;
    steps.fetch(ahead * SSD_CHUNK, length);
    steps.work();
    steps.put(gates[ahead]);
    steps.fetch((TOGETHER + ahead) * SSD_CHUNK, length);
    for (int chunk = 0; chunk < chunks; chunk++) {
        awaitCopyGroups<1>();
        showToTensorCores();
        __syncthreads(); // this chunk and its gates are there, and all are done with the one before
        const uint32_t base = sharedAddress(shared) + chunk % STAGES * STAGE;
        const SsdGates& now = gates[chunk % (2 * TOGETHER)];
        uint32_t a[SSD_CHUNK / 16][4];
        sum.decay(now);
        const WarpTile<128> inputs{base + place * SSD_BOX};
        sum.template advance<0, SSD_CHUNK / 32>(a, inputs, base + X_BYTES, now);
        sum.template advance<SSD_CHUNK / 32, SSD_CHUNK / 16>(a, inputs, base + X_BYTES, now);
        fetch(chunk + 2); // where the chunk before was
        kept += now.decay[SSD_CHUNK - 1];
        if (chunk % TOGETHER == TOGETHER - 1) { // where those of the round before this one were
            const int next = chunk + 1 + ahead;
            steps.work();
            steps.put(gates[next % (2 * TOGETHER)]);
            steps.fetch((next + TOGETHER) * SSD_CHUNK, length);
        }
        awaitProducts<0>();
        settle(sum.s);
    }
    if (owned) {
        sum.put(out + (piece + heads) * SSD_D * SSD_N);
        if (threadIdx.x % 128 == 0) {
            decays[piece] = kept;
        }
    }
}

#define SSD_CHUNK_STATES(SUFFIX, S)                                                                                     \
    extern "C" __global__ __launch_bounds__(SSD_THREADS, 1) void ssd_chunk_states_##SUFFIX(                             \
        float* out, float* decays, const S* state, const bf16* x, const bf16* b, const bf16* dt, const float* aLog,     \
        const float* dtBias, const int* starts, const int* past, const int* slots, int heads, int groups, int chunks,   \
        int64_t ldx, int64_t ldb, int64_t ldd) {                                                                        \
        states(out, decays, state, x, b, dt, aLog, dtBias, starts, past, slots, heads, groups, chunks, ldx, ldb, ldd);  \
    }

SSD_CHUNK_STATES(f32, float)
SSD_CHUNK_STATES(f16, __half)
SSD_CHUNK_STATES(bf16, bf16)
